"""Small results folders, people and signed-in browsers for tests of the review."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from starlette.testclient import TestClient

from mrd.core.contracts import ARMS_TABLE, CALLS_TABLE, CLUSTERS, TUBES
from mrd.core.slots import CELLS, SCORES
from mrd.files.anndata_io import write_anndata
from mrd.files.layout import cells_path, scores_path
from mrd.files.tables import write_table
from mrd.review.accounts import add_account, list_accounts
from mrd.review.app import create_app
from mrd.review.database import open_engine, sqlite_url
from mrd.review.store import Store

PASSWORD = "a long enough secret"  # noqa: S105
WRONG = "not the right secret"
THRESHOLD = 1e-3
N = 500_000
LIMITS = {"lob": 2e-5, "lod": 6e-5, "lloq": 1.2e-4, "recall": 0.9, "background": 1e-5}


def told(subject: str, visit: str, call: str, fraction: float | None, **change: Any) -> dict[str, Any]:
    """A row of calls that agrees with itself, as far as the review reads it."""
    found = None if fraction is None else round(N * (fraction * (0.9 - 1e-5) + 1e-5))
    below = {"positive": "N", "positive-not-quantifiable": "N", "indeterminate": None, "not-evaluable": None}.get(call, "Y")
    counted = {} if fraction is None else {"ci_low": 0.8 * fraction, "ci_high": 1.25 * fraction, **LIMITS}
    row = {
        "subject": subject,
        "visit": visit,
        "role": "diagnosis" if visit == "DX" else "follow-up",
        "specimen": f"{subject}-{visit}",
        "specimen_type": "bone marrow",
        "collected": "2024-02-07",
        "n_tubes": 1,
        "n_leukocytes": N if fraction is not None else None,
        "n_laip": found,
        "laip_fraction": None if found is None else found / N,
        "laip_below": None if found is None else ("Y" if 1000 * found < N else "N"),
        "mrd_fraction": fraction,
        **counted,
        "arm": "laip" if fraction is not None else None,
        "call": call,
        "below_threshold": below,
        "confident": "Y",
        "reason": f"{call} for a reason",
        "flags": None,
        "decide_on": "mrd_fraction",
        "threshold": THRESHOLD,
        "guideline": "ELN 2021",
        "panel": "aml-lyric-9",
        "version": "0.1.0",
    }
    return row | change


def arm_of(call: dict[str, Any], **change: Any) -> dict[str, Any]:
    """The arm that gave a call."""
    counted = call["mrd_fraction"] is not None
    names = ("subject", "visit", "n_leukocytes", "mrd_fraction", "ci_low", "ci_high", *LIMITS)
    row = {n: call.get(n) for n in names} | {
        "tubes": f"{call['subject']}_{call['visit']}_T1",
        "panel": "aml-lyric-9",
        "arm": "laip",
        "outcome": "ok" if counted else "failed",
        "reason": None if counted else "nothing could be counted",
        "n_found": call["n_laip"],
        "detected": "Y" if counted else None,
        "adequate": "Y" if counted else None,
        "agrees": "Y" if counted else None,
        "decided": "Y" if counted else None,
    }
    return row | change


DEFAULT = (
    told("P01", "FU1", "positive", 0.01),
    told("P01", "FU2", "low-quantifiable", 4e-4),
    told("P02", "FU1", "not-detected", 1e-5),
    told("P02", "FU2", "positive", 1.1e-3, confident="N", flags="near-threshold"),
    told("P03", "FU1", "not-evaluable", None, flags="tube-failed"),
)


def write_results(folder: Path, calls: Any = DEFAULT, *, arms: Any = None, clusters: Any = None) -> Path:
    """Write calls, arms and clusters as a run leaves them."""
    write_table(folder / "calls.tsv", CALLS_TABLE.frame(list(calls)), CALLS_TABLE)
    write_table(folder / "arms.tsv", ARMS_TABLE.frame([arm_of(c) for c in calls] if arms is None else list(arms)), ARMS_TABLE)
    if clusters is not None:
        write_table(folder / "clusters.tsv", CLUSTERS.frame(list(clusters)), CLUSTERS)
    return folder


def cluster(number: int, n_cells: int, *, subject: str = "P02", visit: str = "FU2", arm: str = "laip") -> dict[str, Any]:
    """A row of clusters."""
    return {
        "subject": subject,
        "visit": visit,
        "tube_id": f"{subject}_{visit}_T1",
        "arm": arm,
        "cluster": number,
        "n_cells": n_cells,
        "fraction": n_cells / N,
        "phenotype": "CD34+CD117+",
        "differs": "CD7 1.2",
        "ratio": 12.0,
        "likely": 0.9,
    }


@dataclass
class Browser:
    """A client that keeps cookies and fills in a page's hidden fields, as a browser does."""

    client: TestClient
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Any:
        """Open a page and remember its hidden fields."""
        answer = self.client.get(path)
        pairs = re.findall(r'<input type="hidden" name="(csrf|token|round|nonce)" value="([^"]*)"', answer.text)
        self.fields.update(dict(pairs))
        return answer

    def post(self, path: str, **values: Any) -> Any:
        """Send a form of the page last opened."""
        return self.client.post(path, data={**self.fields, **values}, follow_redirects=False)

    def sign_in(self, name: str, password: str = PASSWORD) -> Browser:
        """Sign in."""
        self.name = name
        self.get("/sign-in")
        answer = self.post("/sign-in", name=name, password=password, next="")
        assert answer.status_code == 303, answer.text
        self.get("/")
        return self

    def decide(self, visit: int, kind: str, **values: Any) -> Any:
        """Open a visit and sign a decision."""
        self.fields.pop("round", None)
        self.get(f"/visits/{visit}")
        return self.post(f"/visits/{visit}/decision", kind=kind, **{"password": PASSWORD, "reason": "seen and judged", **values})


PEOPLE = {"ada": "admin", "rita": "reader", "rolf": "reader", "anna": "adjudicator", "olga": "auditor"}


@dataclass
class Clinic:
    """A review with people, and browsers for them."""

    store: Store
    app: Any
    ids: dict[str, int]
    browsers: dict[str, Browser] = field(default_factory=dict)

    def browser(self) -> Browser:
        """A browser nobody is signed in with."""
        return Browser(TestClient(self.app, base_url="http://127.0.0.1", follow_redirects=True))

    def __getattr__(self, name: str) -> Browser:
        """The browser of a person, signed in."""
        if name not in PEOPLE:
            raise AttributeError(name)
        if name not in self.browsers:
            self.browsers[name] = self.browser().sign_in(name)
        return self.browsers[name]

    def visit(self, subject: str, visit: str) -> int:
        """Id of a visit."""
        return next(r.id for r in self.store.records() if r.key == (subject, visit))

    def round(self, visit: int) -> int:
        """Id of a visit's current round, which a page without a form does not tell."""
        return next(r.current.id for r in self.store.records() if r.id == visit)

    def assign_all(self) -> None:
        """Give every seat."""
        self.ada.get("/people")
        answer = self.ada.post(
            "/seats", **{"reader-1": self.ids["rita"], "reader-2": self.ids["rolf"], "adjudicator": self.ids["anna"]}
        )
        assert answer.status_code == 303, answer.text


def open_clinic(results: Path, url: str = "", *, like: Store | None = None) -> Clinic:
    """Open the review of a results folder, its people made where there are none; `like` has read the same tables before."""
    store = Store(open_engine(url or sqlite_url(results)), results)
    if like is not None:
        store._run, store._stamp = like._run, like._stamp
    with store.writing() as connection:
        if not list_accounts(connection):
            for n, r in PEOPLE.items():
                add_account(connection, name=n, printed_name=f"Dr {n.title()}", role=r, password=PASSWORD, actor="test")
        ids = {a.name: a.id for a in list_accounts(connection)}
    store.start()
    return Clinic(store, create_app(store), ids)


def write_cells(results: Path, subject: str, visit: str, *, n: int = 600, found: int = 60) -> None:
    """Write the prepare table, cells and scores of one tube, as a run leaves them; every third found cell is in cluster 2."""
    tube = f"{subject}_{visit}_T1"
    rng = np.random.default_rng(1)
    channels = ["FSC-A", "SSC-A", "CD45", "CD34", "CD117", "CD7"]
    values = rng.normal(3.0, 0.6, (n, len(channels))).astype(np.float32)
    values[:found] += 1.0
    event = np.arange(n, dtype=np.uint32)
    hit = event < found
    obs = pd.DataFrame({"event": event, "leukocytes": True, "blasts": hit}, index=event.astype(str))
    var = pd.DataFrame({"role": ["area", "side", *["marker"] * 4], "detector": channels}, index=channels)
    gates = {"blasts": {"parent": "leukocytes", "spans": {"CD45": [2.0, 4.0], "SSC-A": [None, 4.5]}, "minus": []}}
    uns = {"tube_id": tube, "panel": "aml-lyric-9", "gates": json.dumps(gates)}
    write_anndata(cells_path(results, tube), CELLS, obs=obs, var=var, uns=uns, provenance={}, x=values)
    nothing = {"learned_score": 0.0, "learned": False, "dfn_score": 0.0, "dfn": hit}
    marks = {"event": event, "laip_score": 0.0, "laip": hit, "cluster": np.where(hit, 1 + (event % 3 == 0), 0)}
    scores = pd.DataFrame(marks | nothing, index=obs.index)
    write_anndata(scores_path(results, tube), SCORES, obs=scores, var=pd.DataFrame(), uns={"tube_id": tube}, provenance={})
    row = {
        "tube_id": tube,
        "subject": subject,
        "visit": visit,
        "role": "follow-up",
        "tube": "T1",
        "specimen": f"{subject}-{visit}",
    }
    row |= {
        "specimen_type": "bone marrow",
        "collected": "2024-02-07",
        "panel": "aml-lyric-9",
        "outcome": "ok",
        "inputs": "i",
        "artefact": "a",
    }
    write_table(results / "prepare" / "s001.tsv", TUBES.frame([row]), TUBES)
