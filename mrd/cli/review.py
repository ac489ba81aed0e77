"""`mrd review`: the web application in which people judge the calls of a finished run; its first admin is made here."""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import sys
from pathlib import Path

from mrd.core.errors import MrdError, SettingsError
from mrd.files.layout import result_table
from mrd.review.accounts import ADMIN, add_account, count_admins
from mrd.review.anchor import anchor_path, read_anchors
from mrd.review.database import ENVIRONMENT, open_engine, sqlite_url
from mrd.review.store import Store
from mrd.review.verify import verify

log = logging.getLogger(__name__)
PASSWORD = "MRD_REVIEW_PASSWORD"  # noqa: S105
LOCAL = ("127.0.0.1", "localhost", "::1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder of a finished run")
    parser.add_argument(
        "--create-admin", metavar="NAME", default="", help=f"make an admin (password: asked, or {PASSWORD}) and end"
    )
    parser.add_argument("--printed-name", default="", help="name of the new admin as it stands under a signature")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, default=8070, help="port to listen on")
    parser.add_argument(
        "--behind-proxy", action="store_true", help="a proxy on this machine serves it by HTTPS; cookies need HTTPS"
    )
    parser.add_argument("--host-name", nargs="*", default=[], help="names by which browsers reach it, beside this machine's own")


def run(options: argparse.Namespace) -> None:
    """Open the review, make an admin or serve, and close it."""
    store = open_store(options.results)
    try:
        act(store, options)
    finally:
        store.engine.dispose()


def act(store: Store, options: argparse.Namespace) -> None:
    """Do what the options ask for."""
    if options.create_admin:
        create_admin(store, options.create_admin, options.printed_name or options.create_admin, read_password())
        sys.stdout.write(f"admin {options.create_admin} made; start with: mrd review {options.results}\n")
        return
    serve(store, options)


def open_store(results: Path) -> Store:
    """The review of a run; its database is the run's own unless the environment names another.

    Raises
    ------
    FileError
        The folder holds no finished run, or the database cannot be used.
    """
    if not result_table(results, "calls").is_file():
        raise SettingsError("there are no calls", where=str(results), fix="give the results folder of a finished run")
    return Store(open_engine(os.environ.get(ENVIRONMENT) or sqlite_url(results)), results)


def read_password() -> str:
    """The password from the environment, or asked for twice.

    Raises
    ------
    SettingsError
        The two differ.
    """
    given = os.environ.get(PASSWORD)
    if given is not None:
        return given
    first = getpass.getpass("Password (12 characters or more): ")
    if first != getpass.getpass("Again: "):
        raise SettingsError("the two passwords differ", where="--create-admin", fix="try again")
    return first


def create_admin(store: Store, name: str, printed_name: str, password: str) -> None:
    """Make an admin; who can write here could do anything, so the first one and any later one are made alike."""
    with store.writing() as connection:
        add_account(connection, name=name, printed_name=printed_name, role=ADMIN, password=password, actor="command line")


def serve(store: Store, options: argparse.Namespace) -> None:
    """Serve until stopped.

    Raises
    ------
    SettingsError
        Passwords would travel in clear, or there is no admin yet.
    """
    import uvicorn

    from mrd.review.app import create_app

    if options.host not in LOCAL and not options.behind_proxy:
        fix = "listen on 127.0.0.1 behind an HTTPS proxy and give --behind-proxy"
        raise SettingsError("passwords would travel in clear", where=f"--host {options.host}", fix=fix)
    with store.reading() as connection:
        if not count_admins(connection):
            fix = f"run: mrd review {options.results} --create-admin NAME"
            raise SettingsError("there is no admin yet", where=str(options.results), fix=fix)
    tell_integrity(store)
    store.start()
    app = create_app(store, https=options.behind_proxy, hosts=options.host_name)
    log.info("review: http://%s:%d (Ctrl-C ends it)", options.host, options.port)
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        log_level="warning",
        server_header=False,
        proxy_headers=options.behind_proxy,
        forwarded_allow_ips="127.0.0.1",
    )


def tell_integrity(store: Store) -> None:
    """Say at the start what of the records does not hold; reading on is not refused."""
    try:
        with store.reading() as connection:
            problems = verify(connection, read_anchors(anchor_path(store.results))).problems
    except MrdError as error:
        problems = [str(error)]
    for problem in problems:
        log.warning("review: the log is not whole: %s", problem)
