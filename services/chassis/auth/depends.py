"""What routes ask for: `Annotated[Person, Depends(current_person)]` and its stricter sisters."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request

from services.chassis.asgi.idempotency import RequestKey, read_request_key
from services.chassis.asgi.origin import SESSION_COOKIES
from services.chassis.asgi.pace import Pace
from services.chassis.asgi.problem import Problem
from services.chassis.asgi.wording import language
from services.chassis.audit import note_origin
from services.chassis.auth.person import Person
from services.chassis.auth.service import Authenticator
from services.governance.cycle import Role

CALLER_HEADER = "x-grid-caller"
SERVICE = "service"
ADDRESS_HEADER = "x-grid-address"


def authenticator(request: Request) -> Authenticator:
    """The authenticator that `app.py` put on the application's state."""
    found = request.app.state.auth
    assert isinstance(found, Authenticator), "app.state.auth must be set by the composition root"
    return found


def session_token(request: Request) -> str | None:
    """The session cookie; over HTTPS only the `__Host-` one counts, so no plain page can plant one."""
    secure, plain = SESSION_COOKIES
    return request.cookies.get(secure if request.scope["scheme"] == "https" else plain)


async def person_or_none(request: Request) -> Person | None:
    """Who is calling, if anybody. A bearer token that is no good is an error, never an anonymous caller."""
    person = await _recognised(request)
    accepted = request.headers.get("accept-language")
    if person is not None and accepted:
        person = replace(person, lang=language(accepted))  # the page's own switch beats the account's usual language
    if person is not None:
        request.state.lang = person.lang
        request.state.person = person
        pace: Pace | None = getattr(request.app.state, "pace", None)
        if pace is not None:
            pace.by_account(request.method, request.scope["path"], person.account_id)
    return person


async def _recognised(request: Request) -> Person | None:
    auth = authenticator(request)
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        person = None
        if scheme.lower() == "bearer" and token:
            person = await auth.by_bearer(token.strip(), request.headers.get(CALLER_HEADER))
            if auth.vouches(token.strip()):
                note_origin(request.headers.get(ADDRESS_HEADER))
        if person is None:
            raise Problem(401, "token_invalid", headers={"www-authenticate": "Bearer"})
        return person
    token_in_cookie = session_token(request)
    return await auth.by_session(token_in_cookie) if token_in_cookie else None


async def current_person(request: Request) -> Person:
    """The signed-in caller. Problem 401 `not_signed_in` for everybody else.

    Calls, and does not depend on, its gentler sister: each dependency costs a request a tenth of what all of it may.
    """
    person = await person_or_none(request)
    if person is None:
        raise Problem(401, "not_signed_in")
    if person.scope not in (None, SERVICE):
        raise Problem(403, "not_permitted")  # a token made for one purpose opens only what asks for that purpose
    return person


def require_role(*roles: Role, everywhere: bool = False) -> Callable[..., Coroutine[Any, Any, Person]]:
    """A dependency that lets only holders of one of `roles` pass (403 `not_permitted`).

    `everywhere`: over every street of the installation, for what belongs to no street.
    """

    async def holder(request: Request, person: Annotated[Person, Depends(current_person)]) -> Person:
        held = person.has_role(*roles)
        if not held or (everywhere and not authenticator(request).holds_everywhere(person, roles)):
            raise Problem(403, "not_permitted")
        return person

    return holder


def require_scope(scope: str) -> Callable[..., Coroutine[Any, Any, Person]]:
    """A dependency for machine tokens made for one purpose (403 `not_permitted`)."""

    async def machine(person: Annotated[Person | None, Depends(person_or_none)]) -> Person:
        if person is None:
            raise Problem(401, "not_signed_in")
        if person.scope != scope:
            raise Problem(403, "not_permitted")
        return person

    return machine


async def request_key(request: Request, person: Annotated[Person, Depends(current_person)]) -> RequestKey | None:
    """The Idempotency-Key of an unsafe request, owned by its caller."""
    return await read_request_key(request, person.account_id)


CurrentPerson = Annotated[Person, Depends(current_person)]
MaybePerson = Annotated[Person | None, Depends(person_or_none)]
RequestKeyOf = Annotated[RequestKey | None, Depends(request_key)]
