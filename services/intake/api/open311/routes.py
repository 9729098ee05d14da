"""Open311 GeoReport v2 under /open311/v2/: services, their definitions, requests, tokens; and the discovery document.

Thin on purpose: what is asked is read, the use case answers in the standard's bodies, the format is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from pydantic import ValidationError

from schemas.api.intake import ReportCreatedOut
from schemas.api.open311 import CreatedOut, DefinitionOut, DiscoveryOut, RequestOut, ServiceOut, TokenOut
from services.chassis.asgi import encode_cursor
from services.chassis.asgi.origin import public_address
from services.governance.rulebook import Rulebook
from services.intake.api.open311.asked import (
    ApiKey,
    Extensions,
    Jurisdiction,
    client_of,
    filters,
    form_of,
    in_their_words,
    labels_of,
)
from services.intake.api.open311.described import answers, form_described, listed
from services.intake.api.room import Room
from services.intake.store import open311 as store
from services.intake.store.open311 import RequestSeen, Sought
from services.intake.usecases.open311.asked import KEY, Filters, Form, sought, storable, street_of
from services.intake.usecases.open311.discovery import discovery_of
from services.intake.usecases.open311.filing import draft_of, keys_of, of_number
from services.intake.usecases.open311.offer import classes_of, definition_of, services_of
from services.intake.usecases.open311.view import Sight, created_of, request_of
from services.intake.usecases.open311.wire import MEDIA, Document
from services.intake.usecases.place import Home
from services.intake.usecases.refusal import Refusal, unknown_report

FORMATS: Final = ("json", "xml")
_YES: Final = ("true", "1", "yes")
As = Annotated[str, Path(alias="format", json_schema_extra={"enum": list(FORMATS)})]


def open311_router(room: Room, *, reading_needs_key: bool) -> APIRouter:
    """The routes of the standard. `reading_needs_key`: also what it lets everybody read."""
    router = APIRouter(prefix="/open311", tags=["open311"])
    office = _Office(room, reading_needs_key)
    _add_offers(router, office)
    _add_requests(router, office)
    _add_tokens(router, office)

    @router.get("/discovery.{format}", summary="Open311: where the interface is", **answers(DiscoveryOut))
    async def discovery(form: As, request: Request) -> Response:
        found = discovery_of(room.directory, public_address(request), room.clock.now(), labels_of(request))
        return _answer(request, form, Document("discovery", found))

    return router


def _add_offers(router: APIRouter, office: _Office) -> None:
    @router.get("/v2/services.{format}", summary="Open311: the services on offer", **answers(listed(ServiceOut)))
    async def services(form: As, request: Request, jurisdiction_id: Jurisdiction = None) -> Response:
        book = await office.book(office.street(jurisdiction_id))
        return _answer(request, form, Document("services", services_of(book, labels_of(request))))

    @router.get(
        "/v2/services/{service_code}.{format}", summary="Open311: what a service asks for", **answers(DefinitionOut)
    )
    async def service(service_code: str, form: As, request: Request, jurisdiction_id: Jurisdiction = None) -> Response:
        _known(form)
        book = await office.book(office.street(jurisdiction_id))
        found = definition_of(book, service_code, labels_of(request))
        return _answer(request, form, Document("service_definition", found))


def _add_requests(router: APIRouter, office: _Office) -> None:
    @router.post(
        "/v2/requests.{format}",
        summary="Open311: a new request",
        openapi_extra=form_described(),
        **answers(listed(CreatedOut)),
    )
    async def create(form: As, request: Request) -> Response:
        _known(form)
        filled = await form_of(request)
        receipt = await office.file(filled, request)
        extended = (filled.get("extensions") or "").lower() in _YES
        made = created_of(receipt, public_address(request), labels_of(request), extended=extended)
        return _answer(request, form, Document("service_requests", [made]))

    @router.get("/v2/requests.{format}", summary="Open311: requests by filters", **answers(listed(RequestOut)))
    async def requests(
        form: As,
        request: Request,
        asked: Annotated[Filters, Depends(filters)],
        jurisdiction_id: Jurisdiction = None,
        api_key: ApiKey = None,
        extensions: Extensions = False,
    ) -> Response:
        _known(form)
        caller = await office.reader(request, api_key)
        wanted = sought(asked, office.street(jurisdiction_id), caller, office.room.clock.now())
        found, more = await office.listed(wanted)
        shown = await office.shown(found, caller, request, extensions=extensions)
        headers = {"link": _next(request, found[-1])} if more else {}
        return _answer(request, form, Document("service_requests", shown), headers)

    @router.get(
        "/v2/requests/{service_request_id}.{format}", summary="Open311: one request", **answers(listed(RequestOut))
    )
    async def one(
        service_request_id: str,
        form: As,
        request: Request,
        jurisdiction_id: Jurisdiction = None,
        api_key: ApiKey = None,
        extensions: Extensions = False,
    ) -> Response:
        _known(form)
        caller = await office.reader(request, api_key)
        found = await office.one(service_request_id, office.street(jurisdiction_id))
        shown = await office.shown([found], caller, request, extensions=extensions)
        return _answer(request, form, Document("service_requests", shown))


def _add_tokens(router: APIRouter, office: _Office) -> None:
    @router.get("/v2/tokens/{token}.{format}", summary="Open311: the request of a token", **answers(listed(TokenOut)))
    async def token(token: str, form: As, request: Request, jurisdiction_id: Jurisdiction = None) -> Response:
        _known(form)
        number = await office.number_of(token, office.street(jurisdiction_id))
        return _answer(request, form, Document("service_requests", [TokenOut(service_request_id=number, token=token)]))


@dataclass(frozen=True, slots=True)
class _Office:
    """What the routes share."""

    room: Room
    reading_needs_key: bool

    def street(self, jurisdiction: str | None) -> str:
        return street_of(jurisdiction, self.room.directory)

    async def book(self, street: str) -> Rulebook:
        return (await self.room.desk(Home(street))).rulebook

    async def reader(self, request: Request, key: str | None) -> str | None:
        """Who reads. Raises Refusal 403 for a wrong key, or none where one is needed."""
        client = await client_of(request, key)
        if client is None and self.reading_needs_key:
            raise Refusal("api_key_missing", KEY, status=403)
        return client.account_id if client else None

    async def file(self, form: Form, request: Request) -> ReportCreatedOut:
        """Take a form in; the receipt of the first time where it is a repeat."""
        client = await client_of(request, form.get(KEY))
        if client is None:
            raise Refusal("api_key_missing", KEY, status=403)
        room = self.room
        home = Home(self.street(form.get("jurisdiction_id")))
        desk = await room.desk(home)
        keys = keys_of(form, request.headers.get("idempotency-key"), desk.now)
        key = keys.key
        if keys.before is not None:
            async with room.db.reading() as tx:
                key = keys.before if await store.has_key(tx, client.account_id, keys.before) else key
        try:
            draft = draft_of(form, key, room.ids.uuid7(), client, home, desk)
        except ValidationError as error:
            raise in_their_words(error) from error
        try:
            accepted = await room.submissions.submit(draft)
        except Refusal as refusal:
            raise of_number(refusal, form, request.headers.get("idempotency-key")) from refusal
        return ReportCreatedOut.model_validate_json(accepted.answer)

    async def listed(self, wanted: Sought) -> tuple[Sequence[RequestSeen], bool]:
        """A page, and whether there is more."""
        classes = classes_of(await self.book(wanted.street))
        async with self.room.db.reading() as tx:
            found = await store.listed(tx, wanted, classes)
        return found[: wanted.limit], len(found) > wanted.limit

    async def one(self, number: str, street: str) -> RequestSeen:
        classes = classes_of(await self.book(street))
        async with self.room.db.reading() as tx:
            found = await store.one(tx, street, storable(number), classes)
        if found is None:
            raise unknown_report()
        return found

    async def number_of(self, token: str, street: str) -> str:
        async with self.room.db.reading() as tx:
            number = await store.number_of(tx, street, storable(token))
        if number is None:
            raise unknown_report()
        return number

    async def shown(
        self, found: Sequence[RequestSeen], caller: str | None, request: Request, *, extensions: bool
    ) -> list[RequestOut]:
        """Requests as the caller may see them."""
        books = {version: await self.room.rulebook(version) for version in {seen.rulebook for seen in found}}
        notes = None
        if extensions:
            open_cases = {seen.case_id for seen in found if seen.case_id is not None and not seen.restricted}
            async with self.room.db.reading() as tx:
                notes = await store.steps_of(tx, open_cases)
        known = {version: book for version, book in books.items() if book is not None}
        sight = Sight(caller, self.room.directory, known, labels_of(request), notes)
        return [request_of(seen, sight) for seen in found]


def _known(form: str) -> None:
    if form not in FORMATS:
        raise Refusal("format_unknown", status=404)


def _answer(request: Request, form: str, document: Document, more: Mapping[str, str] | None = None) -> Response:
    _known(form)
    headers: dict[str, Any] = {"cache-control": "no-store", "content-language": labels_of(request).lang, **(more or {})}
    return Response(document.written(form), 200, headers, media_type=MEDIA[form])


def _next(request: Request, last: RequestSeen) -> str:
    """The `Link` header of the next page. It holds no key: that is the client's to add."""
    cursor = encode_cursor(last.submitted_at.isoformat(), last.receipt_no)
    url = request.url.remove_query_params([KEY, "page", "after"]).include_query_params(after=cursor)
    return f'<{public_address(request)}{url.path}?{url.query}>; rel="next"'
