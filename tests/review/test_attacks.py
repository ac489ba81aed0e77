"""What people who should not must not be able to do."""

# ruff: noqa: S608
import html

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from mrd.core.errors import FileError
from mrd.review import attempts, sessions
from mrd.review.anchor import anchor_path, read_anchors
from mrd.review.app import create_app
from mrd.review.cells import plot_tube
from mrd.review.schema import ACCOUNTS, AUDIT, DECISIONS, GUARDED, SESSIONS
from mrd.review.verify import verify
from tests.review.cases import PASSWORD, WRONG, Browser, TestClient, cluster, open_clinic, told, write_results

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


def count(clinic, table):
    with clinic.store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def found_wrong(clinic):
    with clinic.store.reading() as connection:
        return verify(connection, read_anchors(anchor_path(clinic.store.results))).problems


def test_no_address_shows_a_reader_the_other_readers_decision(clinic):
    visit = clinic.visit("P01", "FU1")
    clinic.rita.decide(visit, "override", call="positive", value="77.7", reason="a secret reason of rita")
    clinic.rita.post(f"/visits/{visit}/comment", text="a secret comment of rita")
    pages = [f"/visits/{visit}", "/", "/?show=all", "/?show=settled", "/audit", "/audit.jsonl", "/review.tsv", "/people"]
    pages += [f"/visits/{visit}/decision", f"/visits/{visit}/tubes/0.json", "/decisions/1", f"/visits/{visit}?seat=reader-1"]
    answers = {p: clinic.rolf.get(p) for p in pages}
    for path, answer in answers.items():
        assert "secret" not in answer.text, path
        assert "77.7" not in answer.text, path
    assert [answers[p].status_code for p in ("/audit", "/audit.jsonl", "/review.tsv", "/people")] == [403] * 4


def test_roles_open_only_their_own_doors(clinic):
    visit = clinic.visit("P01", "FU1")
    change = {"do": "role", "role": "admin"}
    account = {"name": "mallory", "printed_name": "M", "role": "admin", "password": PASSWORD}
    for person in (clinic.rita, clinic.anna, clinic.olga):
        person.get("/")
        assert person.post("/people", **account).status_code == 403
        assert person.post(f"/people/{clinic.ids[person.name]}", **change).status_code == 403
        assert person.post("/seats", **{"reader-1": clinic.ids["rita"]}).status_code == 403
    signed = {"kind": "accept", "reason": "r", "password": PASSWORD, "round": clinic.round(visit)}
    assert clinic.olga.post(f"/visits/{visit}/decision", **signed).status_code == 403
    assert clinic.ada.post(f"/visits/{visit}/decision", **signed).status_code == 403
    assert clinic.olga.post(f"/visits/{visit}/comment", text="x", nonce="n").status_code == 403
    assert (
        clinic.rita.post(f"/visits/{visit}/opening", reason="a good long reason", password=PASSWORD, round=1).status_code == 403
    )
    assert count(clinic, DECISIONS) == 0


def test_a_role_in_a_form_of_ones_own_is_ignored(clinic):
    clinic.rita.get("/password")
    clinic.rita.post("/password", password=PASSWORD, new="another long secret", again="another long secret", role="admin")
    with clinic.store.reading() as connection:
        assert connection.execute(select(ACCOUNTS.c.role).where(ACCOUNTS.c.name == "rita")).scalar_one() == "reader"


def test_nobody_changes_their_own_role_and_an_admin_remains(clinic):
    clinic.ada.get("/people")
    assert clinic.ada.post(f"/people/{clinic.ids['ada']}", do="role", role="reader").status_code == 422
    assert clinic.ada.post(f"/people/{clinic.ids['rita']}", do="role", role="root").status_code == 400


def test_seats_go_to_three_different_people_of_the_right_role(clinic):
    visit = clinic.visit("P01", "FU1")
    clinic.ada.get(f"/visits/{visit}")
    for seat, person in (("reader-1", "anna"), ("reader-2", "rita"), ("adjudicator", "rita"), ("reader-1", "olga")):
        answer = clinic.ada.post("/seats", visit=visit, **{seat: clinic.ids[person]})
        assert answer.status_code == 422, (seat, person)


def test_a_seat_that_has_signed_stays_until_the_next_round(clinic):
    visit = clinic.visit("P01", "FU1")
    clinic.ada.get("/people")
    clinic.ada.post("/people", name="nora", printed_name="Dr Nora", role="reader", password=PASSWORD)
    clinic.rita.decide(visit, "accept")
    nora = next(a for a in range(1, 9) if a not in clinic.ids.values())
    answer = clinic.ada.post("/seats", visit=visit, **{"reader-1": nora})
    assert answer.status_code == 422
    assert "has signed in this round" in answer.text


@pytest.mark.parametrize("given", ["", "0" * 64, "other"])
def test_a_form_without_its_sessions_token_is_refused(clinic, given):
    visit = clinic.visit("P01", "FU1")
    clinic.rita.get(f"/visits/{visit}")
    given = clinic.rolf.fields["csrf"] if given == "other" else given
    answer = clinic.rita.post(f"/visits/{visit}/decision", kind="accept", password=PASSWORD, csrf=given)
    assert answer.status_code == 403
    assert count(clinic, DECISIONS) == 0


@pytest.mark.parametrize("header", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}])
def test_a_form_sent_from_another_site_is_refused(clinic, header):
    rita = clinic.rita
    rita.get("/")
    answer = rita.client.post("/sign-out", data=rita.fields, headers=header, follow_redirects=False)
    assert answer.status_code == 403
    assert rita.get("/").status_code == 200


def test_a_request_to_another_host_name_is_refused(clinic):
    assert clinic.rita.client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_hostile_names_and_comments_are_shown_as_text(tmp_path):
    calls = [told(HOSTILE, HOSTILE, "positive", 0.01, reason=HOSTILE, flags=HOSTILE)]
    clusters = [cluster(1, 10, subject=HOSTILE, visit=HOSTILE) | {"phenotype": HOSTILE, "differs": HOSTILE}]
    clinic = open_clinic(write_results(tmp_path / "r", calls, clusters=clusters))
    clinic.assign_all()
    clinic.rita.get("/visits/1")
    clinic.rita.post("/visits/1/comment", text=HOSTILE)
    clinic.rita.decide(1, "override", call="positive", value="1.5", reason=HOSTILE)
    clinic.ada.get("/people")
    clinic.ada.post("/people", name="x.y", printed_name=HOSTILE, role="reader", password=PASSWORD)
    pages = [clinic.rita.get("/visits/1"), clinic.rita.get("/"), clinic.ada.get("/visits/1"), clinic.ada.get("/audit")]
    pages += [clinic.ada.get("/people"), clinic.ada.get("/?subject=" + HOSTILE), clinic.browser().get("/sign-in?next=" + HOSTILE)]
    for page in pages:
        assert "<img" not in page.text
        assert 'onerror=alert(1)>"' not in page.text
    assert html.escape(HOSTILE, quote=False).split("&quot;")[0][:20] in pages[0].text
    assert "script-src 'self'" in pages[0].headers["content-security-policy"]
    clinic.store.engine.dispose()


@pytest.mark.parametrize(
    "given", ["' OR '1'='1", "'; DROP TABLE decisions; --", "P01' UNION SELECT password FROM accounts --", "%", "\\"]
)
def test_sql_in_fields_is_only_text(clinic, given):
    page = clinic.rita.get("/?show=all&subject=" + given.replace("%", "%25")).text
    assert "argon2" not in page
    assert "<h1>Work list" in page
    fresh = clinic.browser()
    fresh.get("/sign-in")
    assert fresh.post("/sign-in", name=given, password=given, next="").status_code == 403
    clinic.rita.get("/visits/1")
    assert clinic.rita.post("/visits/1/comment", text=given, nonce=given).status_code == 303
    assert count(clinic, DECISIONS) == 0
    assert not found_wrong(clinic)


PATHS = (
    "/static/../app.py",
    "/static/%2e%2e%2fapp.py",
    "/static/..%2f..%2fcli%2fmain.py",
    "/visits/1/tubes/..%2f..%2fcalls.json",
    "/visits/1/tubes/-1.json",
    "/visits/1/tubes/999999999999.bin",
    "/visits/../../etc/passwd",
    "/visits/99999999999999999999",
)


def test_a_path_never_leaves_what_is_served(clinic):
    for path in PATHS:
        answer = clinic.rita.client.get(path)
        assert answer.status_code in (404, 422), path
        assert "import" not in answer.text, path


def test_a_tube_id_with_slashes_reads_no_file_outside(tmp_path):
    outside = tmp_path / "secret.h5ad"
    outside.write_text("secret")
    with pytest.raises(FileError, match="this cannot be a tube"):
        plot_tube(tmp_path / "results", "../../../secret", "aml-lyric-9", "x", 1)


def test_a_session_is_worth_nothing_after_sign_out(clinic):
    rita = clinic.rita
    stolen = dict(rita.client.cookies)
    assert rita.post("/sign-out").status_code == 303
    thief = Browser(TestClient(clinic.app, base_url="http://127.0.0.1", cookies=stolen))
    assert thief.get("/").url.path == "/sign-in"
    assert thief.post("/visits/1/comment", text="x", csrf=rita.fields["csrf"], nonce="n").status_code == 401


def test_a_session_ends_by_idling_by_age_and_with_its_account(clinic):
    token = clinic.rita.client.cookies["mrd_review"]
    with clinic.store.writing() as connection:
        start = connection.execute(select(func.max(SESSIONS.c.started))).scalar_one()
        assert sessions.find_session(connection, token, now=start + sessions.IDLE - 60) is not None
        assert sessions.find_session(connection, token, now=start + sessions.IDLE + 60) is None
        connection.execute(SESSIONS.update().values(seen=start + sessions.LONGEST))
        assert sessions.find_session(connection, token, now=start + sessions.LONGEST + 1) is None
        connection.execute(SESSIONS.update().values(seen=start))
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == "rita").values(active=False))
        assert sessions.find_session(connection, token, now=start + 1) is None
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == "rita").values(active=True))
    clinic.ada.get("/people")
    assert clinic.ada.post(f"/people/{clinic.ids['rita']}", do="switch").status_code == 303
    assert clinic.rita.get("/").url.path == "/sign-in"
    clinic.rita.get("/sign-in")
    assert clinic.rita.post("/sign-in", name="rita", password=PASSWORD, next="").status_code == 403


def test_the_cookie_is_kept_from_scripts_and_other_sites(clinic):
    fresh = clinic.browser()
    fresh.get("/sign-in")
    cookie = fresh.post("/sign-in", name="rita", password=PASSWORD, next="").headers["set-cookie"].lower()
    assert "mrd_review=" in cookie
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    behind = Browser(TestClient(create_app(clinic.store, https=True), base_url="https://127.0.0.1"))
    behind.get("/sign-in")
    answer = behind.post("/sign-in", name="rita", password=PASSWORD, next="")
    assert "__Host-mrd_review=" in answer.headers["set-cookie"]
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("onward", ["https://evil.example", "//evil.example", "/visits/1\r\nx: y", "/people"])
def test_signing_in_leads_to_no_foreign_page(clinic, onward):
    fresh = clinic.browser()
    fresh.get("/sign-in")
    assert fresh.post("/sign-in", name="rita", password=PASSWORD, next=onward).headers["location"] == "/"


def test_guessing_a_password_is_stopped_even_for_the_right_one(clinic):
    fresh = clinic.browser()
    for _ in range(attempts.MOST_BY_NAME):
        fresh.get("/sign-in")
        assert fresh.post("/sign-in", name="rita", password=WRONG, next="").status_code == 403
    fresh.get("/sign-in")
    assert fresh.post("/sign-in", name="rita", password=PASSWORD, next="").status_code == 403
    other = clinic.browser()
    other.get("/sign-in")
    assert other.post("/sign-in", name="rolf", password=PASSWORD, next="").status_code == 303
    with clinic.store.reading() as connection:
        now = connection.execute(text("SELECT max(at) FROM attempts")).scalar_one()
        assert attempts.is_blocked(connection, "rita", "x", now=now + attempts.WINDOW - 1)
        assert not attempts.is_blocked(connection, "rita", "x", now=now + attempts.WINDOW + 1)


def test_an_address_that_tries_many_names_is_stopped(clinic):
    with clinic.store.writing() as connection:
        for i in range(attempts.MOST_BY_ADDRESS):
            attempts.count_failure(connection, f"name{i}", "10.0.0.9")
        assert attempts.is_blocked(connection, "rita", "10.0.0.9")
        assert not attempts.is_blocked(connection, "rita", "10.0.0.8")


def test_a_form_that_is_too_large_or_no_form_is_refused(clinic):
    rita = clinic.rita
    assert rita.post("/visits/1/comment", text="x" * 300_000).status_code == 413
    assert rita.client.post("/visits/1/comment", json={"text": "x"}, follow_redirects=False).status_code == 415


def test_the_database_itself_refuses_to_change_what_was_signed(clinic):
    visit = clinic.visit("P01", "FU1")
    clinic.rita.decide(visit, "accept")
    clinic.rita.post(f"/visits/{visit}/comment", text="one", nonce="n1")
    for table in GUARDED:
        column = "seq" if table is AUDIT else "id"
        before = count(clinic, table)
        for statement in (f"UPDATE {table.name} SET {column} = {column}", f"DELETE FROM {table.name}"):
            with pytest.raises(DatabaseError, match="never changed or deleted"), clinic.store.engine.begin() as connection:
                connection.execute(text(statement))
        assert count(clinic, table) == before > 0, table.name
