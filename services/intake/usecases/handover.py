"""A message of a partner: judged item by item, written in one transaction with its answer, and answered so for ever.

A partner's number may be somebody's telephone number. The kept answer is therefore without them: the same message says
them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from schemas.api.intake import ReportCreatedOut
from schemas.api.push import NumberedIn, PushedIn, PushedOut, PushOut, WrongOut
from services.chassis.ids import IdSource
from services.intake.store import Tx, partners, reading
from services.intake.store.partners import Partner
from services.intake.usecases.check import Desk
from services.intake.usecases.draft import Draft
from services.intake.usecases.identity import Sealer
from services.intake.usecases.place import Home
from services.intake.usecases.push import caller_of, handed_over
from services.intake.usecases.refusal import Refusal
from services.intake.usecases.submit import Accepted, Outcome, write_all

Told = Callable[[ValidationError | Refusal], Sequence[WrongOut]]
"""What is wrong, in the words of the caller's language."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose signature is right."""

    partner: Partner
    webhook_id: str
    body: bytes
    items: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Counter:
    """What taking needs beside the transaction."""

    home: Home
    desk: Desk
    ids: IdSource
    sealer: Sealer
    told: Told


async def hand_over(tx: Tx, message: Message, at: Counter) -> str:
    """The answer, as JSON. Raises Refusal `idempotency_key_reused` for another message under the same id."""
    digest = hashlib.sha256(message.body).digest()
    before = await partners.begin(tx, message.partner.name, message.webhook_id, digest)
    if before is not None:
        if before.body_sha256 != digest:
            raise Refusal("idempotency_key_reused", "webhook-id")
        return _with_numbers(before.answer, message.items)
    judged = [await _judged(tx, item, message.partner, at) for item in message.items]
    drafts = [one for one in judged if isinstance(one, Draft)]
    outcomes = iter(await write_all(tx, drafts, at.ids, at.sealer) if drafts else [])
    results = [
        await _result(tx, one, next(outcomes), message.partner) if isinstance(one, Draft) else one for one in judged
    ]
    counts = {kind: sum(one.result == kind for one in results) for kind in ("accepted", "known", "refused")}
    kept = PushOut(**counts, results=tuple(results)).model_dump_json(exclude_none=True)
    await partners.answered(tx, message.partner.name, message.webhook_id, kept)
    return _with_numbers(kept, message.items)


async def _judged(tx: Tx, item: Any, partner: Partner, at: Counter) -> Draft | PushedOut:
    """The item as a draft, or why it is refused."""
    try:
        draft = handed_over(PushedIn.model_validate(item), partner, at.ids.uuid7(), at.home, at.desk)
        if draft.joins is not None and not await reading.case_exists(tx, draft.joins):
            raise Refusal("unknown_case", "also_known_as")
    except (ValidationError, Refusal) as error:
        return PushedOut(result="refused", errors=tuple(at.told(error)))
    return draft


async def _result(tx: Tx, draft: Draft, outcome: Outcome, partner: Partner) -> PushedOut:
    new = isinstance(outcome, Accepted) and outcome.new
    if isinstance(outcome, Accepted):
        answer = outcome.answer
    else:
        answer = await partners.first_answer(tx, caller_of(partner), draft.key)
    receipt = ReportCreatedOut.model_validate_json(answer)
    return PushedOut(
        result="accepted" if new else "known",
        changed=not isinstance(outcome, Accepted),
        id=receipt.id,
        receipt_no=receipt.receipt_no,
        track_url=receipt.track_url,
    )


def _number(item: Any) -> str | None:
    """Their number where it can be read at all, so that they find which one is meant."""
    try:
        return NumberedIn.model_validate(item).external_id
    except ValidationError:
        return None


def _with_numbers(kept: str, items: Sequence[Any]) -> str:
    """The answer as the partner gets it, with its own numbers."""
    answer = PushOut.model_validate_json(kept)
    told = zip(answer.results, items, strict=True)
    results = tuple(one.model_copy(update={"external_id": _number(item)}) for one, item in told)
    return answer.model_copy(update={"results": results}).model_dump_json(exclude_none=True)
