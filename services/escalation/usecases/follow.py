"""A batch of case facts, in one transaction: keep the timers in step, queue what endpoints subscribed to, note what
became of the platform's call-backs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1
from schemas.webhook_bodies import hook_body, hook_of
from services.chassis.db import Tx
from services.chassis.ids import IdSource
from services.chassis.streams import Received
from services.escalation.dialects.base import Told
from services.escalation.dialects.known import dialect
from services.escalation.store import deliveries, endpoints, numbers, platform, timers
from services.escalation.store.deliveries import NewDelivery
from services.escalation.store.endpoints import Endpoint
from services.escalation.usecases.hear import answers_in
from services.governance.acts import ClockState
from services.governance.rulebook import Rulebook
from services.governance.worktime import spent

Hook = tuple[Envelope[CaseFactV1], str]
NameOf = Callable[[str], str | None]
RulebookOf = Callable[[str], Awaitable[Rulebook]]


class CaseFollower:
    """The handler of grid.case.v1. `rulebook_of` answers the rulebook of a version, `name_of` the name of an area or a
    unit by its code."""

    def __init__(self, ids: IdSource, rulebook_of: RulebookOf, name_of: NameOf = lambda _: None) -> None:
        self._ids = ids
        self._rulebook_of = rulebook_of
        self._name_of = name_of

    async def apply(self, tx: Tx, batch: Sequence[Received]) -> None:
        """See `BatchHandler.apply`. A case's newest standing in the batch decides about its timers."""
        facts = [received.envelope for received in batch if isinstance(received.envelope.data, CaseFactV1)]
        live: list[Envelope[CaseFactV1]] = [fact for fact in facts if not fact.data.standing.history]  # type: ignore[misc, attr-defined] # narrowed above; Envelope is generic over its body
        newest = {fact.subject: fact.data.standing for fact in live}
        await numbers.keep(tx, facts)  # type: ignore[arg-type] # narrowed above
        await timers.follow(tx, [(case_id, clock) for case_id, standing in newest.items() for clock in standing.clocks])
        await self._queue(tx, live)
        await platform.answered(tx, answers_in([received.envelope for received in batch]))

    async def _queue(self, tx: Tx, facts: Sequence[Envelope[CaseFactV1]]) -> None:
        hooks = [(fact, kind) for fact in facts if (kind := hook_of(fact.type, fact.data)) is not None]
        if not hooks:
            return
        everywhere = [one for one in await endpoints.every(tx) if one.active]
        asked_for = {kind for one in everywhere for kind in one.events}
        hooks = [(fact, kind) for fact, kind in hooks if kind in asked_for]
        called = await numbers.of_cases(tx, [fact for fact, _ in hooks])
        wanted = [
            (one, fact, kind)
            for fact, kind in hooks
            for one in everywhere
            if kind in one.events
            and answers(one.manner.partner, called[fact.id])
            and one.interest.covers(fact.data.standing.spot.street, fact.data.standing.tier)
        ]
        known = await deliveries.already_queued(tx, [(one.id, fact.id) for one, fact, _ in wanted])
        fresh = [(one, fact, kind) for one, fact, kind in wanted if (one.id, fact.id) not in known]
        places = await deliveries.take_numbers(tx, dict(Counter((one.id, fact.subject) for one, fact, _ in fresh)))
        new = [await self._delivery(one, (fact, kind), places, called[fact.id]) for one, fact, kind in fresh]
        await deliveries.queue(tx, new)

    async def _delivery(
        self, endpoint: Endpoint, hook: Hook, places: dict[tuple[UUID, str], int], known: Sequence[tuple[str, str]]
    ) -> NewDelivery:
        fact, kind = hook
        number = places[(endpoint.id, fact.subject)]
        places[(endpoint.id, fact.subject)] = number + 1
        book = await self._rulebook_of(fact.data.standing.rulebook)
        name, ratio = category_name(fact.data, book), overdue_ratio(fact, book)
        body = hook_body(fact, kind, sequence=number, category_name=name, overdue_ratio=ratio, numbers=known)
        message = dialect(endpoint.manner.dialect).write(
            Told(
                event=fact,
                kind=kind,
                number=number,
                hook=body,
                numbers=known,
                partner=endpoint.manner.partner,
                crs=endpoint.manner.crs,
                category_name=name,
                category_codes=category_codes(fact.data, book),
                names=self._names(fact.data, book),
            )
        )
        intent = getattr(body, "data").intent  # noqa: B009 - every case hook has data.intent; HookV1 itself has no data
        return NewDelivery(
            id=f"msg_{self._ids.uuid7().hex}",
            endpoint_id=endpoint.id,
            event_id=fact.id,
            type=kind,
            case_id=fact.subject,
            case_no=fact.data.standing.case_no,
            number=number,
            case_sequence=fact.data.standing.sequence,
            intent=intent,
            headers=dict(message.headers),
            body=message.body,
            pictures=() if fact.data.standing.restricted else fact.data.pictures,
        )

    def _names(self, fact: CaseFactV1, book: Rulebook) -> dict[str, str]:
        """Words for the codes that a record may hold."""
        spot, unit = fact.standing.spot, fact.standing.lead_unit
        codes = (spot.street[:6], spot.street, spot.community, spot.grid, spot.cell, unit)
        found = {code: self._name_of(code) for code in codes if code}
        source = book.sources.get(fact.standing.source)
        named = {code: name for code, name in found.items() if name}
        return named if source is None else {**named, fact.standing.source: source.name}


def answers(partner: str | None, numbers: Sequence[tuple[str, str]]) -> bool:
    """Whether a receiver hears of a case: one that stands for a partner only of those that the partner knows."""
    return partner is None or any(system == partner for system, _ in numbers)


def category_codes(fact: CaseFactV1, book: Rulebook) -> tuple[tuple[str, str], ...]:
    """(scheme, code) of the class: its own first, then what other code tables call it."""
    category = fact.standing.category
    if category is None:
        return ()
    known = book.categories.get(category.code)
    also = () if known is None else known.also
    return ((category.scheme, category.code), *((one.scheme, one.code) for one in also))


def category_name(fact: CaseFactV1, book: Rulebook) -> str:
    """The street's word for the class; its code where the rulebook has no such class (an imported scheme)."""
    category = fact.standing.category
    if category is None:
        return ""
    known = book.categories.get(category.code)
    return category.code if known is None else known.name


def overdue_ratio(fact: Envelope[CaseFactV1], book: Rulebook) -> float | None:
    """(used - limit) / limit of the clock that made the fact happen, in the clock's own kind of time.

    None where no running clock did: what a stopped clock had used is not on the wire.
    """
    point = fact.data.clock
    clocks = {clock.clock_id: clock for clock in fact.data.standing.clocks}
    clock = None if point is None else clocks.get(point.clock_id)
    if clock is None or clock.state is not ClockState.RUNNING:
        return None
    late = fact.time >= clock.due_at
    span = (clock.due_at, fact.time) if late else (fact.time, clock.due_at)
    seconds = spent(*span, clock.basis, book.calendar)
    return round((seconds if late else -seconds) / max(1, clock.budget_s), 2)
