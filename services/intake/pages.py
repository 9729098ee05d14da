"""The public progress page `/t/{token}`: no sign-in, no script, no personal data. Who has the link may look.

`/t/{token}.svg` is its address as a QR code, to be scanned off somebody's phone. One piece of path, as the page has:
that is what is kept out of logs.
"""

from __future__ import annotations

import io
import re
from importlib.resources import files

import segno
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from schemas.labels import Labels
from services.chassis.asgi import language
from services.chassis.asgi.origin import public_address
from services.chassis.db import Database
from services.chassis.directory import DirectoryCache, UnknownRulebook
from services.governance.rulebook import Rulebook
from services.intake.store import reading
from services.intake.store.moment import DatabaseClock
from services.intake.usecases.render import track_url
from services.intake.usecases.tracking import track_page
from services.intake.usecases.words import Words, WordsFromDispatch

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}


def page_router(db: Database, cache: DirectoryCache, clock: DatabaseClock, words: WordsFromDispatch) -> APIRouter:
    """The page, its style sheet and its QR code."""
    router = APIRouter(include_in_schema=False)
    pages = Environment(
        loader=PackageLoader("services.intake"), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    style = files("services.intake").joinpath("templates/track.css").read_text("utf-8")

    @router.get("/t/style/track.css")
    def track_style() -> Response:
        return Response(style, media_type="text/css", headers={"cache-control": "no-cache"})

    def gone(request: Request) -> HTMLResponse:
        labels = Labels(language(request.headers.get("accept-language")))
        told = pages.get_template("gone.html").render(text=labels.text, lang=labels.lang)
        return HTMLResponse(told, 404, _HEADERS)

    @router.get("/t/{token}.svg")
    async def code(token: str, request: Request) -> Response:
        if not _TOKEN.fullmatch(token):
            return gone(request)
        async with db.reading() as tx:
            known = await reading.by_token(tx, token)
        if known is None:
            return gone(request)
        return Response(qr_code(public_address(request) + track_url(token)), 200, _HEADERS, "image/svg+xml")

    @router.get("/t/{token}")
    async def track(token: str, request: Request) -> HTMLResponse:
        labels = Labels(language(request.headers.get("accept-language")))
        report = None
        if _TOKEN.fullmatch(token):
            async with db.reading() as tx:
                report = await reading.by_token(tx, token)
                case = report.case if report else None
                steps = await reading.steps_of(tx, case.case_id) if case else []
                before = await reading.steps_of(tx, case.own) if case and case.own != case.case_id else []
        if report is None:
            return gone(request)
        rulebook = await _rulebook(cache, report.rulebook)
        said = await words.of(case.case_id, steps) if case and not case.restricted else Words({})
        shown = track_page(report, (steps, before), said, cache.current(), rulebook, labels, clock.now())
        told = pages.get_template("track.html").render(page=shown, text=labels.text, code=f"{track_url(token)}.svg")
        return HTMLResponse(told, 200, _HEADERS)

    return router


def qr_code(url: str) -> bytes:
    """An address as an SVG: black on white with its quiet border, whatever the page around it looks like."""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(out, kind="svg", scale=6, border=4, light="#fff", xmldecl=False)
    return out.getvalue()


async def _rulebook(cache: DirectoryCache, version: str) -> Rulebook | None:
    try:
        return await cache.rulebook(version)
    except UnknownRulebook:
        return None
