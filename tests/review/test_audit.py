"""The log is whole, or `mrd audit` says where it is not."""

# ruff: noqa: S608
import json
import shutil
import sqlite3

import pytest

from mrd.cli.main import main
from mrd.review.anchor import anchor_path
from mrd.review.audit import canonical, entry_hash
from mrd.review.database import review_folder
from tests.review.cases import open_clinic


@pytest.fixture(scope="module")
def closed(ready, tmp_path_factory):
    """Results whose review has a settled visit, a comment and an adjudication; closed, so that it can be tampered with."""
    clinic = open_clinic(shutil.copytree(ready.results, tmp_path_factory.mktemp("closed") / "results"), like=ready)
    first, second = clinic.visit("P01", "FU1"), clinic.visit("P01", "FU2")
    for reader in (clinic.rita, clinic.rolf):
        reader.decide(first, "accept")
    clinic.rita.decide(second, "accept")
    clinic.rita.post(f"/visits/{second}/comment", text="a comment", nonce="n1")
    clinic.rolf.decide(second, "repeat")
    clinic.anna.decide(second, "accept")
    clinic.store.engine.dispose()
    return clinic.store.results


@pytest.fixture
def signed(closed, tmp_path):
    """A copy of it."""
    return shutil.copytree(closed, tmp_path / "results")


def tamper(results, *statements):
    """What somebody with the database file in hand could do: drop the guards, change, put the guards back."""
    database = sqlite3.connect(review_folder(results) / "review.sqlite")
    guards = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        database.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)
    for _, sql in guards:
        database.execute(sql)
    database.commit()
    database.close()


def audit(results, capsys, *words):
    code = main(["audit", str(results), *words])
    return code, capsys.readouterr().out


def test_an_untouched_log_is_whole_and_can_be_written_out(signed, tmp_path, capsys):
    code, out = audit(signed, capsys, "--export", str(tmp_path / "log.jsonl"))
    assert code == 0
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert out == f"the log is whole: {len(entries)} entries, head {entries[-1]['hash']}\n"
    assert [e["seq"] for e in entries] == list(range(1, len(entries) + 1))
    assert [e["hash"] for e in entries] == [entry_hash(e) for e in entries]
    assert {"signed-in", "decision-signed", "comment-added", "seat-assigned", "account-added"} <= {e["action"] for e in entries}


LAST = "(SELECT max(seq) FROM audit)"
TAMPERED = {
    "an entry's text": (f"UPDATE audit SET actor = 'mallory' WHERE seq = {LAST} - 3", "was changed"),
    "an entry's time": ("UPDATE audit SET at = '2020-01-01T00:00:00Z' WHERE seq = 5", "entry 5 was changed"),
    "an entry taken out": (f"DELETE FROM audit WHERE seq = {LAST} - 2", "is missing"),
    "the last entry cut off": (f"DELETE FROM audit WHERE seq = {LAST}", "entries were cut off"),
    "a signed call": ("UPDATE decisions SET call = 'not-detected' WHERE id = 1", "decisions 1 differs from entry"),
    "a signed name": ("UPDATE decisions SET printed_name = 'Dr Who' WHERE id = 2", "decisions 2 differs from entry"),
    "a signed value": ("UPDATE decisions SET value = 0.0101 WHERE id = 1", "decisions 1 differs from entry"),
    "a decision taken out": ("DELETE FROM decisions WHERE id = 3", "decisions 3 is gone"),
    "a comment": ("UPDATE comments SET text = 'other' WHERE id = 1", "comments 1 differs from entry"),
    "a round put in": (
        "INSERT INTO rounds SELECT 99, visit_id, 9, evidence_id, cause, reason, printed_name, opened_at FROM rounds WHERE id = 1",
        "rounds 99 has no entry in the log",
    ),
    "a role": ("UPDATE accounts SET role = 'admin' WHERE name = 'rita'", "differs from entry"),
    "a password": (
        "UPDATE accounts SET password = (SELECT password FROM accounts WHERE name = 'rolf') WHERE name = 'rita'",
        "differs",
    ),
    "the evidence": ("UPDATE evidence SET told = '{}' WHERE id = 1", "evidence 1 differs from entry"),
    "a seat": ("UPDATE assignments SET account_id = 1 WHERE id = 1", "assignments 1 differs from entry"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_in_the_database_is_found(signed, what, capsys):
    statement, told = TAMPERED[what]
    tamper(signed, statement)
    code, out = audit(signed, capsys)
    assert code == 2
    assert told in out


def test_an_entry_rewritten_with_its_own_hash_no_longer_leads_to_the_next(signed, capsys):
    database = sqlite3.connect(review_folder(signed) / "review.sqlite")
    database.row_factory = sqlite3.Row
    entry = dict(database.execute("SELECT * FROM audit WHERE seq = 6").fetchone()) | {"actor": "mallory"}
    database.close()
    tamper(signed, ("UPDATE audit SET actor = 'mallory', hash = ? WHERE seq = 6", [entry_hash(entry)]))
    code, out = audit(signed, capsys)
    assert code == 2
    assert "entry 7 does not follow from entry 6" in out


def test_entries_that_changed_places_are_found(signed, capsys):
    tamper(
        signed,
        "UPDATE audit SET seq = -1 WHERE seq = 7",
        "UPDATE audit SET seq = 7 WHERE seq = 8",
        "UPDATE audit SET seq = 8 WHERE seq = -1",
    )
    code, out = audit(signed, capsys)
    assert code == 2
    assert "entry 7 was changed" in out


def rewrite(results, change):
    """Change the log and compute every hash anew, as somebody who knows the program could."""
    database = sqlite3.connect(review_folder(results) / "review.sqlite")
    database.row_factory = sqlite3.Row
    entries = [dict(r) for r in database.execute("SELECT * FROM audit ORDER BY seq")]
    database.close()
    entries, before = change(entries), "0" * 64
    for seq, entry in enumerate(entries, 1):
        entry.update(seq=seq, previous=before)
        before = entry["hash"] = entry_hash(entry)
    columns = ", ".join(entries[0])
    values = ", ".join("?" * len(entries[0]))
    tamper(
        results, "DELETE FROM audit", *[(f"INSERT INTO audit ({columns}) VALUES ({values})", list(e.values())) for e in entries]
    )


def test_a_log_rewritten_with_fresh_hashes_is_found_by_its_anchors(signed, capsys):
    def forge(entries):
        body = json.loads(entries[-1]["body"]) | {"call": "not-detected"}
        entries[-1]["body"] = canonical(body)
        return entries

    rewrite(signed, forge)
    tamper(signed, "UPDATE decisions SET call = 'not-detected' WHERE id = (SELECT max(id) FROM decisions)")
    code, out = audit(signed, capsys)
    assert code == 2
    assert "is not the one that was anchored: the log was rewritten" in out


def test_a_cut_log_whose_anchors_were_cut_too_is_found_by_a_head_noted_down(signed, capsys):
    head = audit(signed, capsys)[1].split()[-1]
    assert audit(signed, capsys, "--expect", head)[0] == 0
    tamper(signed, "DELETE FROM decisions WHERE id = (SELECT max(id) FROM decisions)", f"DELETE FROM audit WHERE seq = {LAST}")
    path = anchor_path(signed)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert audit(signed, capsys)[0] == 0
    code, out = audit(signed, capsys, "--expect", head)
    assert code == 2
    assert "no entry has the expected hash" in out


def test_guards_that_were_dropped_and_an_anchor_that_is_gone_are_told(signed, capsys):
    database = sqlite3.connect(review_folder(signed) / "review.sqlite")
    database.execute("DROP TRIGGER guard_decisions_update")
    database.commit()
    database.close()
    anchor_path(signed).unlink()
    code, out = audit(signed, capsys)
    assert code == 2
    assert "trigger guard_decisions_update is missing" in out
    assert "there is no anchor file" in out


def test_tampered_records_do_not_reach_the_endpoint(signed, tmp_path, capsys):
    tamper(signed, "UPDATE decisions SET call = 'not-detected' WHERE id = 1")
    assert main(["reviewed", str(signed), "--out", str(tmp_path / "review.tsv")]) == 2
    assert "the records are not as they were signed: decisions 1 differs" in capsys.readouterr().err
    assert not (tmp_path / "review.tsv").exists()


@pytest.mark.parametrize("broken", ["absent", "no database", "no tables"])
def test_a_review_that_cannot_be_read_is_one_line(tmp_path, capsys, broken):
    folder = review_folder(tmp_path)
    folder.mkdir()
    if broken == "no database":
        (folder / "review.sqlite").write_bytes(b"nonsense" * 1000)
    if broken == "no tables":
        sqlite3.connect(folder / "review.sqlite").close()
        (folder / "review.sqlite").touch()
    assert main(["audit", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
