"""Mediation of a restricted case: what is said there, apart from everything else that is kept of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from schemas.api.dispatch import MediationIn, MediationNoteOut, MediationOut
from schemas.labels import Labels
from services.chassis.asgi import Problem, not_found
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth import CurrentPerson, Person
from services.chassis.db import grid_now
from services.dispatch.api.wiring import Parts, Wiring
from services.dispatch.store import Tx
from services.dispatch.store.audience import scope_of
from services.dispatch.store.detail import find_case
from services.dispatch.store.mediation import MediationNote, add_mediation_note, mediation_notes_of
from services.dispatch.usecases.words import Words
from services.governance.case import Case
from services.governance.case.mediation import may_read, mediates, mediators

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])
CaseNo = Annotated[str, Path(max_length=64, pattern=r"^[^\x00-\x1f]+$")]


@router.get("/{case_no}/mediation", summary="Who mediates, and what was noted")
async def read_mediation(case_no: CaseNo, person: CurrentPerson, parts: Parts) -> MediationOut:
    """For the mediator and the owner chain; 403 for whoever may see no more than the class."""
    async with parts.db.reading() as tx:
        case = await _found(tx, case_no, person, lock=False)
        return await _shown(tx, case, person, parts)


@router.post("/{case_no}/mediation", status_code=201, summary="Note what was said in mediation")
async def add_mediation(case_no: CaseNo, body: MediationIn, person: CurrentPerson, parts: Parts) -> MediationOut:
    """The mediator alone writes, while the case is open. `id` is the caller's: the same one again adds nothing."""
    async with parts.db.transaction() as tx:
        case = await _found(tx, case_no, person, lock=True)
        if not mediates(case, person.actor):
            raise Problem(403, "not_permitted")
        if all(note.id != body.id for note in await mediation_notes_of(tx, case.case_id)):
            now = await grid_now(tx)
            await add_mediation_note(tx, MediationNote(body.id, case.case_id, person.account_id, now, body.text))
            await record(tx, Entry(Audited.MEDIATION_NOTED, person.account_id, case_no))
        return await _shown(tx, case, person, parts)


async def _found(tx: Tx, case_no: str, person: Person, *, lock: bool) -> Case:
    """The case, for somebody who may read of its mediation."""
    found = await find_case(tx, case_no, scope_of(person.actor), lock=lock)
    if found is None:
        raise not_found()
    if not may_read(found.case, person.actor):
        raise Problem(403, "not_permitted")
    return found.case


async def _shown(tx: Tx, case: Case, person: Person, parts: Wiring) -> MediationOut:
    words = Words(Labels(person.lang), parts.directory.current())
    named = mediators(case)
    return MediationOut(
        mediator=words.person(named[-1]) if named else None,
        may_write=mediates(case, person.actor),
        notes=tuple(
            MediationNoteOut(id=note.id, at=note.at, by_name=words.person(note.account), text=note.note)
            for note in await mediation_notes_of(tx, case.case_id)
        ),
    )
