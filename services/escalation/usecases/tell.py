"""A batch of case facts, in one transaction: whom they name is told, each person once a fact."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1
from services.chassis.db import Tx, grid_now
from services.chassis.directory import Directory
from services.chassis.directory.lending import disabled_accounts
from services.chassis.ids import IdSource
from services.chassis.streams import Received
from services.chassis.telemetry import logger
from services.escalation.notices.notice import Detail, NewNotice
from services.escalation.notices.people import Called, Scene, who
from services.escalation.store import notices
from services.escalation.usecases.follow import category_name
from services.governance.rulebook import Rulebook
from services.governance.tiers import is_urgent

TAKEN_BACK: Final = frozenset({"case.recalled", "case.undone"})
"""What was told is followed by a correction."""
TOLD_BEFORE: Final = "told_before"


class Teller:
    """A handler of grid.case.v1. `late_s`: what comes so long after its time goes into a merged notice."""

    def __init__(
        self,
        ids: IdSource,
        directory: Callable[[], Directory],
        rulebook_of: Callable[[str], Awaitable[Rulebook]],
        late_s: float,
    ) -> None:
        self._ids = ids
        self._directory = directory
        self._rulebook_of = rulebook_of
        self._late_s = late_s

    async def apply(self, tx: Tx, batch: Sequence[Received]) -> None:
        """See `BatchHandler.apply`. A repeat of a fact tells nobody again; history tells nobody at all."""
        facts = [one.envelope for one in batch if _tells(one.envelope.data)]
        if not facts:
            return
        now, disabled = await grid_now(tx), await disabled_accounts(tx)
        new = [notice for fact in facts for notice in await self._of(tx, fact, now, disabled)]  # type: ignore[arg-type] # narrowed by _tells
        late = {one.account_id for one in new if one.late}
        await notices.keep(tx, new, [self._ids.uuid7() for _ in late])

    async def _of(self, tx: Tx, fact: Envelope[CaseFactV1], now: datetime, disabled: frozenset[str]) -> list[NewNotice]:
        body, directory = fact.data, self._directory()
        named = {}
        if any(told.post == "issuer" for told in body.tell):
            issuer = await notices.last_actor(tx, fact.subject, "case.supervised")
            named = {"issuer": (issuer,)} if issuer else {}
        scene = Scene(body.standing, directory, now, body.actor.account, disabled, named)
        called = who(body.tell, scene)
        if fact.type in TAKEN_BACK and body.reason is not None:
            there = {one.account_id for one in called} | {body.actor.account}
            before = await notices.told_before(tx, fact.subject, body.reason)
            called = (*called, *(Called(one, TOLD_BEFORE) for one in before if one not in there))
        if not called:
            logger("notices").debug("nobody_to_tell", fact=str(fact.id), type=fact.type)
            return []
        detail = _detail(fact, directory, await self._rulebook_of(body.standing.rulebook))
        return [self._notice(fact, one, detail, now) for one in called]

    def _notice(self, fact: Envelope[CaseFactV1], called: Called, detail: Detail, now: datetime) -> NewNotice:
        point = fact.data.clock
        planned = fact.time if point is None or point.at is None else point.at
        return NewNotice(
            fact_id=fact.id,
            account_id=called.account_id,
            kind=fact.type,
            case_id=fact.subject,
            case_no=fact.data.standing.case_no,
            post=called.post,
            instead_of=called.instead_of,
            urgent=is_urgent(fact.data.standing.urgency),
            detail=detail,
            planned_at=planned,
            late=(now - planned).total_seconds() > self._late_s,
        )


def _tells(body: object) -> bool:
    return isinstance(body, CaseFactV1) and bool(body.tell) and not body.standing.history


def _detail(fact: Envelope[CaseFactV1], directory: Directory, book: Rulebook) -> Detail:
    """Nothing below the community of a restricted case, and of no case a person or an address."""
    body = fact.data
    spot = body.standing.spot
    levels = (spot.community,) if body.standing.restricted else (spot.community, spot.grid)
    names = [name for code in levels if code and (name := directory.name_of(code))]
    return {
        "at": (body.intent or body.standing.tier).value,
        "urgency": body.standing.urgency.value,
        "restricted": body.standing.restricted,
        "category": category_name(body, book),
        "place": " ".join(names) or directory.name_of(spot.street) or "",
        "clock": None if body.clock is None else body.clock.kind.value,
        "act": None if body.clock is None else body.clock.act,
        "rule": None if body.rule is None else body.rule.rule,
        "actor": body.actor.account,
    }
