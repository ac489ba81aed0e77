"""The web application: its addresses, its headers, and how errors are told."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mrd.core.errors import MrdError
from mrd.review.routes import log, people, sign_in, visit, work
from mrd.review.store import Store
from mrd.review.web import RefusedError, SignInError, page

LOCAL = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer browsers send "Origin: null" with our own forms
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
STATIC = {"app.css": "text/css", "plot.js": "text/javascript", "visit.js": "text/javascript"}
"""Files a browser may ask for; no other name is looked up."""


class SafeHeaders:
    """Puts the headers on every response."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.headers = HEADERS | ({"strict-transport-security": "max-age=31536000"} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and the response back with its headers."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, told if scope["type"] == "http" else send)


def create_app(store: Store, *, https: bool = False, hosts: Sequence[str] = (), title: str = "MRD review") -> FastAPI:
    """The application of one review.

    Parameters
    ----------
    https : whether browsers reach it by HTTPS (behind a proxy): cookies are then sent that way only
    hosts : names it answers to besides this machine's own
    """
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store, app.state.https, app.state.title = store, https, title
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL, *hosts])
    app.add_middleware(SafeHeaders, https=https)
    for part in (sign_in, work, visit, people, log):
        app.include_router(part.router)
    app.add_api_route("/static/{name}", static)
    app.add_api_route("/favicon.ico", no_icon)
    app.add_exception_handler(SignInError, _ask_to_sign_in)
    app.add_exception_handler(RefusedError, _tell_refusal)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(MrdError, _tell_mistake)
    return app


def static(name: str) -> Response:
    """One of our own files.

    Raises
    ------
    RefusedError
        There is no such file.
    """
    if name not in STATIC:
        raise RefusedError(404, "There is no such file.")
    data = (files("mrd.review") / "static" / name).read_bytes()
    return Response(data, media_type=STATIC[name])


def no_icon() -> Response:
    """Browsers ask for one; there is none."""
    return Response(status_code=204)


def _ask_to_sign_in(request: Request, _: Exception) -> Response:
    if request.method != "GET":
        return page(request, "error.html", status=401, error="Your session has ended. Sign in and send it again.")
    back = f"?next={quote(request.url.path, safe='/')}" if request.url.path.startswith("/visits/") else ""
    return RedirectResponse(f"/sign-in{back}", status_code=303)


def _tell_refusal(request: Request, error: Exception) -> HTMLResponse:
    status, told = (error.status, error.told) if isinstance(error, RefusedError) else (500, "")
    return page(request, "error.html", status=status, error=told)


def _tell_http(request: Request, error: Exception) -> HTMLResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = {404: "There is no such page.", 405: "This address does not take that."}.get(status, "The request cannot be answered.")
    return page(request, "error.html", status=status, error=told)


def _tell_mistake(request: Request, error: Exception) -> HTMLResponse:
    return page(request, "error.html", status=409, error=f"{error}.")
