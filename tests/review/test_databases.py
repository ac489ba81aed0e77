"""The same review on SQLite and on a real PostgreSQL, with people who save at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from mrd.core.errors import MrdError
from mrd.core.settings import Settings
from mrd.review.accounts import list_accounts
from mrd.review.anchor import anchor_path, read_anchors
from mrd.review.database import open_engine, sqlite_url
from mrd.review.export import export_review
from mrd.review.judgement import Asked
from mrd.review.schema import AUDIT, COMMENTS, DECISIONS, META
from mrd.review.signing import comment, sign
from mrd.review.verify import verify
from tests.review import postgres
from tests.review.cases import PASSWORD, open_clinic, told, write_results


@pytest.fixture(scope="module")
def postgres_url():
    why = postgres.why_not()
    if why:
        pytest.skip(why)
    with postgres.cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request, tmp_path):
    """A review of ten visits, all seats given."""
    calls = [told(f"P{i:02d}", "FU1", "positive", 0.01) for i in range(10)]
    url = sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    clinic = open_clinic(write_results(tmp_path, calls), url)
    clinic.assign_all()
    yield clinic
    if request.param == "postgresql":
        with clinic.store.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    clinic.store.engine.dispose()


def people(clinic):
    with clinic.store.reading() as connection:
        return {a.name: a for a in list_accounts(connection)}


def check_whole(clinic):
    with clinic.store.reading() as connection:
        verdict = verify(connection, read_anchors(anchor_path(clinic.store.results)))
    assert verdict.problems == []
    return verdict


def test_a_review_goes_its_whole_way_and_its_records_are_guarded(shared):
    visit = shared.visit("P00", "FU1")
    shared.rita.decide(visit, "accept")
    shared.rolf.decide(visit, "override", call="positive", value="0.98765432101", reason="grüße \u2028 and 'quotes' --")
    shared.anna.decide(visit, "accept")
    with shared.store.reading() as connection:
        rows = export_review(connection, shared.store.run().visits).review
        values = list(connection.execute(select(DECISIONS.c.value).order_by(DECISIONS.c.id)).scalars())
    assert values == [0.01, 0.0098765432101, 0.01]
    assert list(rows["reviewer"]) == ["Dr Anna"]
    for statement in ("UPDATE decisions SET call = 'x'", "DELETE FROM audit", "DELETE FROM decisions"):
        with pytest.raises(DatabaseError, match="never changed or deleted"), shared.store.engine.begin() as connection:
            connection.execute(text(statement))
    check_whole(shared)


def test_many_who_save_at_once_lose_and_double_nothing(shared):
    person, settings = people(shared), Settings()

    def read(job):
        name, visit = job
        with shared.store.writing() as connection:
            return sign(connection, (visit, shared.round(visit)), person[name], Asked("accept"), settings)

    jobs = [(name, visit) for visit in range(1, 11) for name in ("rita", "rolf", "rita")]
    with ThreadPoolExecutor(12) as pool:
        ids = list(pool.map(read, jobs))
    assert len(set(ids)) == 20
    assert all(r.state == "settled" for r in shared.store.records())
    with shared.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(DECISIONS)).scalar_one() == 20
    check_whole(shared)


def test_two_readers_who_press_save_in_the_same_moment_both_stand(shared):
    readers = [shared.rita, shared.rolf]
    for reader in readers:
        reader.get("/visits/7")
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda r: r.post("/visits/7/decision", kind="accept", reason="seen and judged", password=PASSWORD), readers)
        )
    assert [a.status_code for a in answers] == [303, 303]
    assert next(r for r in shared.store.records() if r.id == 7).state == "settled"
    check_whole(shared)


def test_a_comment_sent_by_ten_threads_with_one_nonce_is_one(shared):
    rita = people(shared)["rita"]

    def say(_):
        with shared.store.writing() as connection:
            return comment(connection, 1, rita, "once", "same-nonce")

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(say, range(10)))) == 1
    with shared.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(COMMENTS)).scalar_one() == 1


def test_what_fails_half_way_leaves_no_trace(shared):
    rita = people(shared)["rita"]
    with shared.store.reading() as connection:
        before = connection.execute(select(func.count()).select_from(AUDIT)).scalar_one()

    def half():
        with shared.store.writing() as connection:
            sign(connection, (1, shared.round(1)), rita, Asked("accept"), Settings())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    with shared.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(AUDIT)).scalar_one() == before
        assert connection.execute(select(func.count()).select_from(DECISIONS)).scalar_one() == 0
    check_whole(shared)


def test_the_database_itself_refuses_a_second_signature_of_a_seat(shared):
    shared.rita.decide(1, "accept")
    with shared.store.reading() as connection:
        row = connection.execute(select(DECISIONS)).mappings().one()
    with pytest.raises(IntegrityError), shared.store.engine.begin() as connection:
        connection.execute(insert(DECISIONS).values(**{**row, "id": 999}))


def test_the_migrations_make_the_tables_that_are_declared(shared):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with shared.store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), META) == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://u:secret@h/d", "mysql is not supported"),
        ("nonsense", "not a database URL"),
        ("postgresql://u:secret@127.0.0.1:1/d", "the database cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(url, told):
    with pytest.raises(MrdError, match=told) as caught:
        open_engine(url)
    assert "secret" not in str(caught.value)
