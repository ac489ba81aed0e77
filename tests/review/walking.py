"""Steps that people take in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.review.cases import PASSWORD

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def find_chromium() -> str:
    """Path of a Chromium; empty where there is none."""
    return next((p for p in CHROMIUM if Path(p).is_file()), "")


def why_not() -> str:
    """Why no browser can be driven here; empty where one can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed (pip install flowmrd[browser])"
    return "" if find_chromium() else "chromium is not installed"


@contextmanager
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium
        chromium.close()


class Person:
    """Somebody with a browser window of their own."""

    def __init__(self, chromium: Any, address: str, name: str, *, width: int = 1280, height: int = 900) -> None:
        self.context = chromium.new_context(base_url=address, viewport={"width": width, "height": height})
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        self.name = name

    def sign_in(self, password: str = PASSWORD) -> Person:
        """Sign in by the form."""
        self.page.goto("/sign-in")
        self.page.get_by_label("Name").fill(self.name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for()
        return self

    def add_account(self, name: str, printed: str, role: str, password: str = PASSWORD) -> None:
        """Add an account, as an admin."""
        self.page.goto("/people")
        card = self.page.locator("form.card", has_text="Add an account")
        card.get_by_label("Sign-in name").fill(name)
        card.get_by_label("Printed name").fill(printed)
        card.get_by_label("Role").select_option(role)
        card.get_by_label("First password").fill(password)
        card.get_by_role("button", name="Add").click()
        self.page.get_by_role("rowheader", name=name).wait_for()

    def give_seats(self, **seats: str) -> None:
        """Give all free seats, as an admin; underscores stand for the hyphens of the seats."""
        self.page.goto("/people")
        card = self.page.locator("form.card", has_text="Give the free seats")
        for seat, printed in seats.items():
            card.get_by_label(seat.replace("_", "-")).select_option(label=printed)
        card.get_by_role("button", name="Assign").click()
        self.page.get_by_text("0 visits have free seats").wait_for()

    def open(self, visit: str) -> Any:
        """Open a visit from the work list."""
        self.page.goto("/?show=all")
        self.page.get_by_role("link", name=visit, exact=True).click()
        self.page.get_by_role("heading", name=visit, exact=True).wait_for()
        return self.page

    def decide(self, kind: str, *, call: str = "", percent: str = "", reason: str = "", password: str = PASSWORD) -> None:
        """Fill in the decision form of the open visit and sign."""
        form = self.page.locator("#decide")
        form.locator(f"[name=kind][value={kind}]").check()
        if call:
            form.locator("[name=call]").select_option(call)
        if percent:
            form.locator("[name=value]").fill(percent)
        form.locator("[name=reason]").fill(reason)
        form.locator("[name=password]").fill(password)
        form.get_by_role("button", name="Sign").click()
        self.page.locator("#shown").wait_for()

    def wait_for_plots(self) -> None:
        """Wait until the cells of the open visit are drawn."""
        for plot in self.page.locator(".plot").all():
            plot.and_(self.page.locator("[data-ready=yes]")).wait_for()
