"""A whole review of the demo in a real browser, with screenshots, axe-core on every page, and the endpoint before and after.

    npm install --prefix build/axe axe-core
    python benchmarks/review/walk.py results/demo --subjects workflow/config/demo_subjects.tsv \
        --axe build/axe/node_modules/axe-core/axe.min.js --images docs/img

Run from the root of the checkout, after the demo. Works on a copy of the results. Where the run tells of no clusters, k-means
of the found cells stands in for them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from mrd.cli.main import main as mrd
from mrd.core.slots import SCORES
from mrd.files.anndata_io import read_anndata
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, scores_path
from tests.review.cases import PASSWORD
from tests.review.served import free_port, server
from tests.review.walking import Person, browser

PEOPLE = (
    ("rita", "Dr Rita Reader", "reader"),
    ("rolf", "Dr Rolf Reader", "reader"),
    ("anna", "Prof Anna Judge", "adjudicator"),
    ("olga", "Olga Auditor", "auditor"),
)
SERIOUS = ("serious", "critical")
KEPT = ("work-list", "visit", "adjudication", "audit")
"""Pages whose pictures are kept."""


def add_clusters(results: Path, count: int = 3) -> None:
    """Stand-ins for the clusters of a run that tells of none."""
    from sklearn.cluster import KMeans

    rows: list[dict[str, Any]] = []
    for call in pd.read_csv(results / "calls.tsv", sep="\t").to_dict("records"):
        tube = f"{call['subject']}_{call['visit']}_T1"
        if not scores_path(results, tube).is_file():
            continue
        data, cells = read_anndata(scores_path(results, tube), SCORES), read_cells(cells_path(results, tube))
        hit = data.obs["laip"].to_numpy(dtype=bool)
        labels = np.where(hit, 1, 0)
        if hit.sum() >= 10 * count:
            found = cells.values[np.searchsorted(cells.events, data.obs["event"].to_numpy()[hit])]
            labels[hit] = 1 + KMeans(count, n_init=3, random_state=1).fit_predict(found)
        data.obs["cluster"] = labels
        data.write_h5ad(scores_path(results, tube))
        for label in sorted(set(labels[hit])):
            n = int((labels == label).sum())
            told = {"subject": call["subject"], "visit": call["visit"], "tube_id": tube, "arm": "laip", "cluster": int(label)}
            rows.append(told | {"n_cells": n, "fraction": n / call["n_leukocytes"], "phenotype": "", "differs": ""})
    pd.DataFrame(rows).to_csv(results / "clusters.tsv", sep="\t", index=False)


class Witness:
    """Takes pictures and lets axe-core look at pages."""

    def __init__(self, images: Path | None, axe: Path | None) -> None:
        self.images, self.axe = images, axe.read_text(encoding="utf-8") if axe else ""
        self.serious = 0

    def see(self, page: Any, name: str, *, whole: bool = False) -> None:
        """Look at a page."""
        if self.images and name in KEPT:
            self.images.mkdir(parents=True, exist_ok=True)
            picture = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
            picture.quantize(64).save(self.images / f"review-{name}.png", optimize=True)
        if not self.axe:
            return
        page.evaluate(self.axe)
        found = page.evaluate("axe.run()")["violations"]
        serious = [v for v in found if v["impact"] in SERIOUS]
        self.serious += len(serious)
        print(f"axe {name}: {len(found)} findings, {len(serious)} serious or critical")
        for v in found:
            print(f"  {v['impact']} {v['id']}: {v['help']} ({len(v['nodes'])}): {v['nodes'][0]['html'][:120]}")


def endpoint(results: Path, subjects: Path, review: Path | None) -> pd.DataFrame:
    """The line list of the endpoint, with the review where there is one."""
    out = results / ("endpoint-reviewed" if review else "endpoint-before")
    words = ["endpoint", "--calls", str(results / "calls.tsv"), "--subjects", str(subjects), "--out", str(out)]
    run_mrd(*words, *(["--review", str(review)] if review else []))
    return pd.read_csv(out / "admrd.csv")


def run_mrd(*words: str) -> None:
    """Run a command; a refusal ends the walk."""
    if mrd(words):
        sys.exit(f"mrd {words[0]} was refused")


def deciding_visit(results: Path) -> tuple[str, str]:
    """The visit that makes a subject count as converted: what the adjudicator will overrule."""
    told = pd.read_csv(results / "endpoint-before" / "conversion.tsv", sep="\t")
    row = told[told["converted"] == "Y"].iloc[-1]
    return str(row["subject"]), str(row["visit"])


def walk(chromium: Any, address: str, witness: Witness, overruled: str) -> list[Person]:
    """Everybody's part in turn."""
    ada = Person(chromium, address, "ada")
    ada.page.goto("/sign-in")
    witness.see(ada.page, "sign-in")
    ada.sign_in()
    for name, printed, role in PEOPLE:
        ada.add_account(name, printed, role)
    ada.give_seats(reader_1="Dr Rita Reader", reader_2="Dr Rolf Reader", adjudicator="Prof Anna Judge")
    witness.see(ada.page, "people")
    rita, rolf, anna, olga = (Person(chromium, address, name).sign_in() for name, _, _ in PEOPLE)
    witness.see(rita.page, "work-list")
    rita.page.locator("tbody a").first.click()
    rita.wait_for_plots()
    box = rita.page.locator("[data-cluster]:enabled")
    if box.count():
        box.first.uncheck()
        rita.page.get_by_text("Without the rejected").wait_for()
    witness.see(rita.page, "visit", whole=True)
    rita.open(overruled)
    rita.decide("accept")
    rolf.open(overruled)
    rolf.decide("override", call="positive", percent="0.15", reason="a second population with CD7, gated by hand")
    anna.open(overruled)
    anna.wait_for_plots()
    witness.see(anna.page, "adjudication")
    anna.decide("override", call="positive", percent="0.15", reason="the CD7 population is leukaemic: I follow the second reader")
    anna.wait_for_plots()
    witness.see(anna.page, "settled")
    olga.page.goto("/audit?check=true")
    witness.see(olga.page, "audit")
    return [ada, rita, rolf, anna, olga]


def main() -> None:
    """Walk, and tell what the endpoint made of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--subjects", type=Path, required=True)
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--images", type=Path)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        results = shutil.copytree(options.results, Path(stack.enter_context(tempfile.TemporaryDirectory())) / "results")
        shutil.rmtree(results / "review", ignore_errors=True)
        if not (results / "clusters.tsv").is_file():
            add_clusters(results)
        before = endpoint(results, options.subjects, None)
        subject, visit = deciding_visit(results)
        env = {**os.environ, "MRD_REVIEW_PASSWORD": PASSWORD}
        make = [
            sys.executable,
            "-m",
            "mrd.cli.main",
            "review",
            str(results),
            "--create-admin",
            "ada",
            "--printed-name",
            "Ada Admin",
        ]
        subprocess.run(make, env=env, check=True)
        port, witness = free_port(), Witness(options.images, options.axe)
        with server(results, port), browser() as chromium:
            people = walk(chromium, f"http://127.0.0.1:{port}", witness, f"{subject} {visit}")
        print("browser complaints:", [f for p in people for f in p.faults])
        run_mrd("audit", str(results))
        run_mrd("reviewed", str(results), "--out", str(results / "review.tsv"))
        print((results / "review.tsv").read_text())
        after = endpoint(results, options.subjects, results / "review.tsv")
        changed = after.merge(before, how="left", indicator=True, on=["USUBJID", "PARAMCD", "AVISIT", "AVAL", "AVALC"])
        new = changed[changed["_merge"] == "left_only"]
        print(new[["USUBJID", "PARAMCD", "AVISIT", "AVAL", "AVALC"]].to_string(index=False))
        print(f"serious or critical findings of axe: {witness.serious}")


if __name__ == "__main__":
    main()
