"""/api/v1/reports/{id}/reporter: who reports, given by himself, shown to him masked, revealed to few with a reason.

No answer of these routes may be kept by a cache, and nothing given here leaves in an event.
"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from schemas.api.reporter import (
    IdentityIn,
    IdentityRevealedOut,
    ReporterOut,
    RevealedOut,
    RevealIn,
    RevealReason,
)
from schemas.labels import Labels
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import CurrentPerson, Person
from services.chassis.clock import LOCAL
from services.governance.cycle import Role
from services.intake.api.photos import vouched_for
from services.intake.api.room import Room, labels_for
from services.intake.store import Tx, vault
from services.intake.store.vault import Reveal
from services.intake.usecases.identity import Identity, Sealer, masked
from services.intake.usecases.refusal import unknown_report
from services.intake.usecases.reveal import reveal

_NO_STORE = {"cache-control": "no-store"}


def reporter_router(room: Room, sealer: Sealer) -> APIRouter:
    """The routes around the vault's identities."""
    router = APIRouter(prefix="/api/v1/reports/{report_id}/reporter", tags=["reporter"])

    @router.put("", response_model=ReporterOut, summary="Say who reports, and how to be spoken to")
    async def give(report_id: UUID, body: IdentityIn, person: CurrentPerson, response: Response) -> ReporterOut:
        identity = Identity(body.name, body.phone, body.email, body.contact)
        async with room.db.transaction() as tx:
            await _own(tx, report_id, person)
            await vault.keep_identity(tx, report_id, sealer.identity(identity, report_id))
            shown = await _shown(tx, report_id, sealer, labels_for(person))
            await record(tx, Entry(Audited.IDENTITY_GIVEN, person.account_id, str(report_id)))
        response.headers.update(_NO_STORE)
        return shown

    @router.get("", response_model=ReporterOut, summary="What is kept of the reporter, masked, and who looked")
    async def read(report_id: UUID, person: CurrentPerson, response: Response) -> ReporterOut:
        async with room.db.reading() as tx:
            await _own(tx, report_id, person)
            shown = await _shown(tx, report_id, sealer, labels_for(person))
        response.headers.update(_NO_STORE)
        return shown

    @router.delete("", status_code=204, summary="Take back who reports; the report stays")
    async def forget(report_id: UUID, person: CurrentPerson) -> None:
        async with room.db.transaction() as tx:
            await _own(tx, report_id, person)
            if await vault.forget_identity(tx, report_id):
                await record(tx, Entry(Audited.IDENTITY_FORGOTTEN, person.account_id, str(report_id)))

    @router.post("/reveal", response_model=IdentityRevealedOut, summary="The reporter in clear, for a reason, once")
    async def look(
        report_id: UUID, body: RevealIn, request: Request, person: CurrentPerson, response: Response
    ) -> IdentityRevealedOut:
        vouched = vouched_for(request, person)
        shown, seen = await reveal(room.db, room.ids, sealer, person, report_id, body.reason, vouched=vouched)
        response.headers.update(_NO_STORE)
        return _revealed(shown, seen, person)

    return router


async def _own(tx: Tx, report_id: UUID, person: Person) -> None:
    """A report is its reporter's; to everybody else it does not exist."""
    report = await vault.reporting(tx, report_id)
    if report is None or report.account != person.account_id:
        raise unknown_report()


async def _shown(tx: Tx, report_id: UUID, sealer: Sealer, labels: Labels) -> ReporterOut:
    kept = await vault.identity_of(tx, report_id)
    looks = tuple(_look(seen, labels) for seen in await vault.reveals_of(tx, report_id))
    if kept is None:
        return ReporterOut(given=False, revealed=looks)
    own = masked(sealer.identity_of(kept.sealed, report_id))
    return ReporterOut(
        given=True,
        name=own.name,
        phone=own.phone,
        email=own.email,
        contact=own.contact,
        given_at=kept.given_at,
        revealed=looks,
    )


def _look(seen: Reveal, labels: Labels) -> RevealedOut:
    role, reason = Role(seen.role), RevealReason(seen.reason)
    return RevealedOut(
        at=seen.at,
        role=role,
        role_name=labels.word("role", role.value),
        reason=reason,
        reason_name=labels.word("reveal", reason.value),
    )


def _revealed(shown: Identity, seen: Reveal, person: Person) -> IdentityRevealedOut:
    return IdentityRevealedOut(
        name=shown.name,
        phone=shown.phone,
        email=shown.email,
        contact=shown.contact,
        watermark=f"{person.login} {seen.at.astimezone(LOCAL):%Y-%m-%d %H:%M} {str(seen.reveal_id)[-8:]}",
        at=seen.at,
    )
