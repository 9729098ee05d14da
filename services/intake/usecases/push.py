"""Another authority hands a matter over: what it says becomes a report under its own number, or is refused by field.

A class that the rulebook does not know is kept as it was sent; the case then goes to a person, who chooses one.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from schemas.api.push import OURS, CallerIn, PushedIn
from services.governance.acts import CategoryRef
from services.governance.rulebook import Rulebook
from services.intake.store.partners import Partner
from services.intake.usecases.check import Desk
from services.intake.usecases.draft import Draft, Handed, Sender, Words, body_digest
from services.intake.usecases.identity import Identity
from services.intake.usecases.place import Home, captured_on, locate
from services.intake.usecases.refusal import Refusal

_FUTURE = timedelta(minutes=10)
_CALLER = "push:"


def caller_of(partner: Partner) -> str:
    """Whose keys the partner's numbers are."""
    return f"{_CALLER}{partner.name}"


def handed_over(item: PushedIn, partner: Partner, report_id: UUID, home: Home, desk: Desk) -> Draft:
    """The draft of a matter. Raises Refusal naming the field."""
    _check(item, desk)
    street = desk.directory.streets.get(home.street)
    day = captured_on(item.position, item.occurred_at, desk.now)
    numbers = [(known.source, known.external_id) for known in item.also_known_as if known.source != OURS]
    joins = next((known.external_id.upper() for known in item.also_known_as if known.source == OURS), None)
    return Draft(
        report_id=report_id,
        key=item.external_id,
        body_sha256=body_digest(item),
        sender=Sender(caller_of(partner), account=None, role=None, staff=False),
        source=partner.source,
        source_event_id=f"{partner.name}:{item.external_id}",
        nature=item.nature,
        category=_category(item, partner),
        danger=item.danger or item.life,
        life=item.life,
        place=locate(item.position, item.place_words, desk.directory, home, day),
        words=Words(_text(item, partner, desk.rulebook), item.place_words),
        on_the_spot=None,
        direct=False,
        call_now=False,
        joins=joins,
        photos=(),
        occurred_at=item.occurred_at,
        client_at=None,
        rulebook=desk.rulebook,
        sample=bool(street and street.sample),
        identity=_identity(item.caller),
        handed=Handed(item.due, tuple(dict.fromkeys([(partner.name, item.external_id), *numbers]))),
    )


def _check(item: PushedIn, desk: Desk) -> None:
    if item.position is None and not item.place_words:
        raise Refusal("place_missing", "position")
    if item.category is None and not item.text and not item.danger and not item.life:
        raise Refusal("matter_missing", "text")
    if item.occurred_at is not None and item.occurred_at > desk.now + _FUTURE:
        raise Refusal("in_the_future", "occurred_at")
    if item.due is not None and item.occurred_at is not None and item.due <= item.occurred_at:
        raise Refusal("due_before_start", "due")


def _category(item: PushedIn, partner: Partner) -> CategoryRef | None:
    theirs = item.category
    if theirs is None:
        return None
    return CategoryRef(theirs.scheme or partner.scheme, theirs.version or partner.edition, theirs.code)


def _text(item: PushedIn, partner: Partner, rulebook: Rulebook) -> str:
    """The words, and of a class that is not known here its name: a person has to choose by it."""
    theirs = item.category
    if theirs is None or not theirs.name or rulebook.category_of(_category(item, partner)) is not None:
        return item.text
    return "\n".join(part for part in (item.text, f"【{theirs.name}】") if part)


def _identity(caller: CallerIn | None) -> Identity | None:
    if caller is None:
        return None
    return Identity(caller.name, caller.phone, caller.email, "phone" if caller.phone else "none") or None
