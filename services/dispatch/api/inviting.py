"""First sign-in on a phone: people of the street, and a one-time link with its QR code for one of them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urljoin

import segno
from fastapi import APIRouter, Depends, Path, Request

from schemas.api.inviting import LinkOut, PeopleOut
from schemas.labels import Labels
from services.chassis.asgi import Problem, not_found
from services.chassis.auth import Person, Right, admin, require_right
from services.chassis.auth.links import page_links
from services.chassis.db import grid_now
from services.chassis.directory import lending
from services.dispatch.api.wiring import Parts, Wiring
from services.dispatch.store import Tx
from services.dispatch.usecases.staff import Register
from services.dispatch.usecases.words import Words

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])
Inviter = Annotated[Person, Depends(require_right(Right.INVITE))]
Login = Annotated[str, Path(max_length=100)]
_LINK = "enter#"  # behind the mark, so that no server on the way writes it down


@router.get("", summary="People of my street, and who has signed in")
async def read_accounts(person: Inviter, parts: Parts) -> PeopleOut:
    """Whoever holds a post in the reader's place."""
    async with parts.db.reading() as tx:
        register = await _register(tx, person, parts)
        return register.page(await admin.sign_ins(tx))


@router.post("/{login}/link", status_code=201, summary="A link that signs somebody in once")
async def make_link(login: Login, person: Inviter, parts: Parts, request: Request) -> LinkOut:
    """For 24 hours; it ends every link made for him before. 404 for whoever is not of the reader's place, 403
    `not_permitted` for a post that the reader could not lend."""
    async with parts.db.transaction() as tx:
        register = await _register(tx, person, parts)
        if not register.knows(login):
            raise not_found()
        if not register.may_invite(login):
            raise Problem(403, "not_permitted")
        try:
            made = await admin.create_link(tx, parts.ids, login, by=person.account_id)
        except admin.UnknownAccount:
            raise not_found() from None
    url = urljoin(str(request.base_url), page_links(request)["form"]) + _LINK + made.token
    qr = segno.make(url, error="m").svg_data_uri(scale=6, border=4)
    return LinkOut(url=url, qr=qr, expires_at=made.expires_at)


async def _register(tx: Tx, person: Person, parts: Wiring) -> Register:
    """What the person holds as the database says, not as it was when he was recognised."""
    now = await grid_now(tx)
    held = await lending.posts_held_from(tx, person.account_id, now)
    disabled = await lending.disabled_accounts(tx)
    words = Words(Labels(person.lang), parts.directory.current())
    return Register(tuple(own for own in held if own.in_force(now)), disabled, words, now)
