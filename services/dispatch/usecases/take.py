"""A batch of messages: reports become cases, timers and commands of the other services become facts.

One transaction per batch, opened and ended by the stream worker. Everything is read and locked first, decided in
memory in the order of the batch, written at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from schemas.envelope import Envelope
from schemas.events.command import CommandV1, JoinV1
from schemas.events.report import ReportPhotoAddedV1, ReportSubmittedV1
from schemas.events.sla import SlaFiredV1
from schemas.wire import Body
from services.chassis.db import grid_now
from services.chassis.directory import Directory, DirectoryCache, UnknownRulebook
from services.chassis.ids import IdSource
from services.chassis.streams import Poison, Received
from services.chassis.telemetry import logger
from services.dispatch.store import Tx, imports
from services.dispatch.store.locks import ids_of_numbers, lock_together, next_numbers
from services.dispatch.store.matters import Number, known_by, lead_to
from services.dispatch.store.near import MOST, Point, before, metres, near, near_cases, point_of
from services.dispatch.store.notes import Note, keep_notes
from services.dispatch.store.reports import Claim, claim, keep_words, photo_arrived
from services.dispatch.store.write import Refusal, Step, Words, save, save_refusals
from services.dispatch.usecases.around import around_case, around_report
from services.dispatch.usecases.commands import CommandRefused, act_of, refusal_body, was_done
from services.dispatch.usecases.deciding import Cause, carry_out
from services.dispatch.usecases.opening import case_number, claim_of, open_case, words_of
from services.dispatch.usecases.same_matter import case_meant, joins, numbers_of, together
from services.governance.acts import AttachPhoto, CategoryRef, Command, Neighbour, TimerFired
from services.governance.case import Case
from services.governance.errors import GovernanceError


@dataclass(frozen=True, slots=True)
class Tools:
    """What taking needs beside the transaction."""

    directory: DirectoryCache
    ids: IdSource


@dataclass(slots=True)
class _Work:
    """The state of one batch while it is being decided."""

    directory: Directory
    now: datetime
    cases: dict[str, Case]
    numbers: dict[str, str]
    of_report: dict[str, str]
    near: Mapping[str, tuple[Neighbour, ...]]
    known: Mapping[Number, str]  # the report that a number of another system leads to
    steps: list[Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    words: dict[str, Words] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def standing_for(self, case_id: str | None) -> Case | None:
        """The case of an id, or the one that it was merged into."""
        case = self.cases.get(case_id or "")
        return self.cases[case.master.case_id] if case is not None and case.master is not None else case


class Taking:
    """Handles batches; keeps nothing between them."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def apply(self, tx: Tx, batch: Sequence[Received]) -> None:
        """Apply a batch in `tx` (see `chassis.streams.BatchHandler`)."""
        work = await self._load(tx, batch)
        plan = await self._claim(tx, batch, work)
        for index, received in enumerate(batch):
            try:
                await self._one(tx, received.envelope, work, plan.get(index))
            except UnknownRulebook as error:
                raise Poison(index, str(error)) from error
            except GovernanceError as error:  # commands are answered; a report that no rule takes is for a person
                raise Poison(index, f"refused by the rules: {error.code}") from error
        await save(tx, work.steps, work.words)
        await save_refusals(tx, work.refusals)
        await keep_words(tx, work.claims)
        await keep_notes(tx, work.notes)
        await imports.count_unknown_units(tx, _unknown_units(batch, plan, work.directory), work.now)

    # --- reading ------------------------------------------------------------------------------------------------
    async def _load(self, tx: Tx, batch: Sequence[Received]) -> _Work:
        """Lock every case that the batch speaks of."""
        bodies = [received.envelope.data for received in batch]
        known = await known_by(tx, _brought(bodies))
        numbers = await ids_of_numbers(tx, _numbers(bodies))
        spoken_of = (*_report_ids(bodies), *known.values())
        locked = await lock_together(tx, (*_case_ids(bodies), *numbers.values()), reports=spoken_of)
        beside = await near_cases(tx, locked.cases.values())
        now = await grid_now(tx)
        return _Work(self._tools.directory.current(), now, locked.cases, numbers, locked.homes, beside, known)

    async def _claim(self, tx: Tx, batch: Sequence[Received], work: _Work) -> dict[int, _Opening]:
        """Which reports of the batch are new, with their case numbers and neighbours."""
        reports = {n: body for n, r in enumerate(batch) if isinstance(body := r.envelope.data, ReportSubmittedV1)}
        if not reports:
            return {}
        recognised = {n: _recognised(body, work) for n, body in reports.items()}
        joined = {n: c.case_id for n, c in recognised.items() if c is not None and joins(reports[n], c)}
        planned = {n: claim_of(body, joined.get(n) or str(self._tools.ids.uuid7())) for n, body in reports.items()}
        for n, first in together(reports, joined, work.known).items():
            joined[n] = planned[first].case_id
            planned[n] = replace(planned[n], case_id=joined[n])
        by_id: dict[str, int] = {}
        for n, each in planned.items():
            by_id.setdefault(each.report_id, n)
        free = await claim(tx, [planned[n] for n in by_id.values()])
        taken = [n for report_id, n in by_id.items() if report_id in free]
        fresh = [n for n in taken if n not in joined]
        await lead_to(tx, {number: reports[n].report_id for n in fresh for number in numbers_of(reports[n])})
        serials = await next_numbers(tx, len(fresh)) if fresh else []
        points = [await self._point(reports[n]) for n in fresh]
        around = await _neighbours(tx, points)
        plan = {n: _Opening(planned[n]) for n in taken}
        for n, serial, point, (beside, again) in zip(fresh, serials, points, around, strict=True):
            number = case_number(work.directory, reports[n].spot.street, work.now, serial)
            plan[n] = _Opening(planned[n], number, beside, recognised[n], point, again)
        return plan

    async def _point(self, report: ReportSubmittedV1) -> Point | None:
        """Where its like is looked for. History has none: it asks nobody to do anything."""
        spot, category = report.spot, report.category
        if report.recorded is not None or category is None or spot.lng is None or spot.lat is None:
            return None
        try:
            book = await self._tools.directory.rulebook(report.rulebook)
        except UnknownRulebook:  # said where the report itself is taken
            return None
        ref = CategoryRef(category.scheme, category.version, category.code)
        known = book.category_of(ref)
        return point_of(known.code if known else category.code, spot.lng, spot.lat, book)

    # --- deciding -----------------------------------------------------------------------------------------------
    async def _one(self, tx: Tx, envelope: Envelope[Body], work: _Work, opening: _Opening | None) -> None:
        body, cause = envelope.data, Cause(envelope.id, envelope.correlation_id)
        if isinstance(body, ReportSubmittedV1):
            if opening is not None:
                await self._open(body, opening, work, cause)
        elif isinstance(body, ReportPhotoAddedV1):
            await photo_arrived(tx, body.report_id, body.photo_id, body.mime)
            case_id = work.of_report.get(body.report_id)
            await self._quietly(case_id, AttachPhoto(body.report_id, body.photo_id), work, cause)
        elif isinstance(body, SlaFiredV1):
            fired = TimerFired(body.clock_id, body.rev, body.rung, body.due_at)
            await self._quietly(body.case_id, fired, work, cause)
        elif isinstance(body, CommandV1):
            await self._command(envelope, body, work, cause)

    async def _open(self, report: ReportSubmittedV1, opening: _Opening, work: _Work, cause: Cause) -> None:
        claimed = opening.claim
        known = work.cases.get(claimed.case_id)
        number = known.case_no if known is not None else opening.case_no
        command = open_case(report, claimed.case_id, number, opening.earlier)
        work.claims.append(claimed)
        work.of_report[report.report_id] = claimed.case_id
        if known is not None:
            await self._ask(known, command, work, cause)
            return
        rulebook = await self._tools.directory.rulebook(report.rulebook)
        beside = _in_batch(opening.point, work)
        around = around_report(
            work.directory, command.spot, [*opening.near, *beside], before=opening.again + len(beside)
        )
        self._keep(carry_out(None, command, rulebook, work.now, around, ids=self._tools.ids, cause=cause), work)
        work.words[claimed.case_id] = words_of(report, work.directory)

    async def _quietly(self, case_id: str | None, command: Command, work: _Work, cause: Cause) -> None:
        """A message of the machine: what the rules do not want any more changes nothing and needs no answer."""
        case = work.standing_for(case_id)
        if case is None:
            logger("dispatch").warning("message_without_case", event_id=str(cause.event))
            return
        try:
            await self._ask(case, command, work, cause)
        except GovernanceError as error:
            logger("dispatch").info("machine_message_refused", case_id=case_id, code=error.code)

    async def _command(self, envelope: Envelope[Body], body: CommandV1, work: _Work, cause: Cause) -> None:
        """A wish of another service: answered by facts or by a refusal, never by silence."""
        case = work.standing_for(body.case_id or work.numbers.get(body.case_no or ""))
        try:
            act = act_of(envelope.type, body, case, work.directory, work.now)
            assert case is not None, "act_of refuses a command without a case"
            steps = await self._ask(case, act, work, cause)
            if not steps:
                if was_done(case, act):  # and answered then: one command, one answer
                    return
                raise CommandRefused("no_change")
        except (CommandRefused, GovernanceError) as error:
            answer = refusal_body(envelope.type, body, case, error)
            work.refusals.append(
                Refusal(self._tools.ids.uuid7(), envelope.id, envelope.correlation_id, work.now, answer)
            )
            return
        if body.masked_note:
            work.notes.append(Note(steps[-1].fact_id, case.case_id, body.masked_note))

    async def _ask(self, case: Case, command: Command, work: _Work, cause: Cause) -> list[Step]:
        rulebook = await self._tools.directory.rulebook(case.rulebook)
        around = around_case(work.directory, case, work.now, work.near.get(case.case_id, ()), book=rulebook)
        steps = carry_out(case, command, rulebook, work.now, around, ids=self._tools.ids, cause=cause)
        self._keep(steps, work)
        return steps

    def _keep(self, steps: Sequence[Step], work: _Work) -> None:
        work.steps += steps
        if steps:
            work.cases[steps[-1].after.case_id] = steps[-1].after


@dataclass(frozen=True, slots=True)
class _Opening:
    """A report that will be a case of its own, or (without a number) a part of one that is open."""

    claim: Claim
    case_no: str = ""
    near: tuple[Neighbour, ...] = ()
    earlier: Case | None = None  # the reporter took it for this one, which has ended
    point: Point | None = None
    again: int = 0  # how often it has been there before


def _recognised(report: ReportSubmittedV1, work: _Work) -> Case | None:
    """The case that the reporter recognised, or the one it was merged into; else the one that a number of another
    system leads to. While that is open the report joins it; an ended one is left alone, and the report opens its own
    that names it."""
    case = work.standing_for(work.numbers.get(report.joins or ""))
    if case is not None and not case.history and (report.partner or not case.restricted):
        return case
    return case_meant(report, work.known, lambda one: work.standing_for(work.of_report.get(one)))


async def _neighbours(tx: Tx, points: Sequence[Point | None]) -> list[tuple[tuple[Neighbour, ...], int]]:
    """Beside each, and how often it has been there before."""
    known = {n: point for n, point in enumerate(points) if point is not None}
    wanted = list(known.values())
    beside = dict(zip(known, await near(tx, wanted), strict=True))
    again = dict(zip(known, await before(tx, wanted), strict=True))
    return [(tuple(beside.get(n, ())), again.get(n, 0)) for n in range(len(points))]


def _in_batch(point: Point | None, work: _Work) -> list[Neighbour]:
    """Neighbours that the same batch has just opened."""
    if point is None:
        return []
    opened = (case for claimed in work.claims if (case := work.cases.get(claimed.case_id)) is not None)
    beside = (
        Neighbour(case.case_no, case.state, point.category)
        for case in opened
        if case.category is not None
        and case.category.code == point.category
        and not case.history
        and case.spot.lng is not None
        and case.spot.lat is not None
        and metres(point, case.spot.lng, case.spot.lat) <= point.metres
    )
    return list(islice(beside, MOST))


def _numbers(bodies: Sequence[Body]) -> list[str]:
    named = (body.case_no for body in bodies if isinstance(body, CommandV1) and not body.case_id)
    joined = (body.joins for body in bodies if isinstance(body, ReportSubmittedV1))
    return [number for number in (*named, *joined) if number]


def _brought(bodies: Sequence[Body]) -> list[tuple[Number, str]]:
    reports = (body for body in bodies if isinstance(body, ReportSubmittedV1))
    return [(number, body.report_id) for body in reports for number in numbers_of(body)]


def _case_ids(bodies: Sequence[Body]) -> list[str]:
    return [body.case_id for body in bodies if isinstance(body, SlaFiredV1 | CommandV1) and body.case_id]


def _report_ids(bodies: Sequence[Body]) -> list[str]:
    return [body.report_id for body in bodies if isinstance(body, ReportPhotoAddedV1 | JoinV1)]


def _unknown_units(batch: Sequence[Received], plan: dict[int, _Opening], directory: Directory) -> list[str]:
    """Units that imported rows name and the directory does not know, once per row."""
    named = (batch[n].envelope.data for n in plan)
    units = (
        body.imported_unit or (body.recorded and body.recorded.unit)
        for body in named
        if isinstance(body, ReportSubmittedV1)
    )
    return [unit for unit in units if unit and unit not in directory.units]
