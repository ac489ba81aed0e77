"""The server as a process: how it starts, what it refuses, and that killing it loses nothing."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import httpx2
import pytest
from sqlalchemy import select

from mrd.cli.main import main
from mrd.review.database import review_folder
from mrd.review.schema import DECISIONS, ROUNDS
from tests.review.cases import PASSWORD, open_clinic, told, write_results
from tests.review.served import free_port, hidden, server, signed_in


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    """A review of twelve visits, all seats given, closed."""
    results = tmp_path_factory.mktemp("twelve") / "results"
    clinic = open_clinic(write_results(results, [told(f"P{i:02d}", "FU1", "positive", 0.01) for i in range(12)]))
    clinic.assign_all()
    clinic.store.engine.dispose()
    return results


def save(job):
    """Sign one visit; None where the server died meanwhile."""
    client, csrf, visit = job
    values = {"csrf": csrf, "round": visit, "kind": "accept", "reason": "seen and judged", "password": PASSWORD}
    try:
        return client.post(f"/visits/{visit}/decision", data=values).status_code
    except httpx2.TransportError:
        return None


def test_a_server_killed_while_people_save_loses_and_doubles_nothing(twelve, tmp_path, capsys):
    results, port = shutil.copytree(twelve, tmp_path / "results"), free_port()
    with ExitStack() as stack:
        process = stack.enter_context(server(results, port))
        clients = [stack.enter_context(closing(signed_in(port, name))) for name in ("rita", "rolf")]
        jobs = [(c, hidden(c.get("/").text, "csrf"), visit) for visit in range(1, 13) for c in clients]
        saved = []

        def save_or_kill(job):
            told = save(job)
            saved.append(told)
            if saved.count(303) == 4:
                process.kill()
            return told

        with ThreadPoolExecutor(8) as pool:
            first = list(pool.map(save_or_kill, jobs))
        assert first.count(303) >= 4
        assert None in first
        assert main(["audit", str(results)]) == 0
        kept = signed(results)
        assert {
            (j[2], "reader-1" if j[0] is clients[0] else "reader-2") for j, s in zip(jobs, first, strict=True) if s == 303
        } <= set(kept)
        stack.enter_context(server(results, port))
        assert [save(job) for job in jobs] == [303] * 24
    assert sorted(signed(results)) == sorted((v, seat) for v in range(1, 13) for seat in ("reader-1", "reader-2"))
    assert main(["audit", str(results)]) == 0
    assert "the log is whole" in capsys.readouterr().out


def signed(results):
    """Visit and seat of every decision on record."""
    clinic = open_clinic(results)
    with clinic.store.reading() as connection:
        joined = select(ROUNDS.c.visit_id, DECISIONS.c.seat).join(ROUNDS, ROUNDS.c.id == DECISIONS.c.round_id)
        found = [(r.visit_id, r.seat) for r in connection.execute(joined)]
    clinic.store.engine.dispose()
    return found


def test_the_first_admin_is_made_from_the_command_line(tmp_path, capsys, monkeypatch):
    results = write_results(tmp_path)
    assert main(["review", str(results)]) == 2
    assert "there is no admin yet; run: mrd review" in capsys.readouterr().err
    monkeypatch.setenv("MRD_REVIEW_PASSWORD", "short")
    assert main(["review", str(results), "--create-admin", "ada"]) == 2
    assert "a password has 12 to 200 characters" in capsys.readouterr().err
    monkeypatch.setenv("MRD_REVIEW_PASSWORD", PASSWORD)
    assert main(["review", str(results), "--create-admin", "Ada L"]) == 2
    assert "cannot be a sign-in name" in capsys.readouterr().err
    assert main(["review", str(results), "--create-admin", "ada", "--printed-name", "Ada Lovelace"]) == 0
    assert main(["review", str(results), "--create-admin", "ada"]) == 2
    assert "there is an account ada already" in capsys.readouterr().err
    assert main(["audit", str(results)]) == 0
    modes = [(review_folder(results) / name).stat().st_mode & 0o077 for name in ("anchor.tsv", "review.sqlite")]
    assert modes == [0, 0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--host", "0.0.0.0"], "passwords would travel in clear"),  # noqa: S104
        ([], "there are no calls"),
    ],
)
def test_what_cannot_be_served_is_one_line(tmp_path, capsys, words, told):
    results = write_results(tmp_path) if words else tmp_path
    assert main(["review", str(results), *words]) == 2
    assert told in capsys.readouterr().err


def test_an_export_without_a_review_is_one_line(tmp_path, capsys):
    assert main(["reviewed", str(write_results(tmp_path)), "--out", str(tmp_path / "review.tsv")]) == 2
    assert "there is no review" in capsys.readouterr().err
    assert not (tmp_path / "review.tsv").exists()
