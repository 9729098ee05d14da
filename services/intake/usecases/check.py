"""Is this a report that can be taken? Everything that needs the rulebook, the directory or the reporter's posts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from schemas.api.intake import ReportIn
from services.chassis.auth.person import Person
from services.chassis.auth.rights import RIGHTS, Right
from services.chassis.directory.model import Directory
from services.governance.acts import CategoryRef
from services.governance.cycle import Role
from services.governance.rulebook import Rulebook
from services.intake.usecases.draft import Draft, Sender, Words, body_digest
from services.intake.usecases.identity import Identity
from services.intake.usecases.place import Home, captured_on, locate
from services.intake.usecases.refusal import Refusal

_OWN_SOURCES = {Role.GRID_SECRETARY: "grid_branch", Role.GRID_WORKER: "grid_worker"}
_OTHER_SOURCE = "app"
_FUTURE = timedelta(minutes=10)  # phones' clocks go wrong by minutes
_FIELD_ROLES = (Role.GRID_SECRETARY, Role.GRID_WORKER)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a report is checked against."""

    directory: Directory
    rulebook: Rulebook
    now: datetime


def check(body: ReportIn, key: str, report_id: UUID, person: Person, home: Home, desk: Desk) -> Draft:
    """The draft of a report. Raises Refusal naming the field."""
    sender = _sender(person, body.anonymous)
    _check_rights(body, person)
    _check_times(body, desk.now)
    place_words = "，".join(part for part in (body.place_words, body.landmark) if part)
    street = desk.directory.streets.get(home.street)
    day = captured_on(body.position, body.occurred_at, desk.now)
    return Draft(
        report_id=report_id,
        key=key,
        body_sha256=body_digest(body),
        sender=sender,
        source=_source(body, person, desk.rulebook, sender),
        source_event_id=None,
        nature=body.nature,
        category=_category(body, desk.rulebook),
        danger=body.danger or body.life,
        life=body.life,
        place=locate(body.position, body.place_words, desk.directory, home, day),
        words=Words(body.text, place_words, body.on_the_spot.note if body.on_the_spot else ""),
        on_the_spot=body.on_the_spot.act if body.on_the_spot else None,
        direct=body.direct,
        call_now=body.call_now,
        in_grid=body.in_grid,
        joins=body.joins,
        photos=body.photos,
        occurred_at=body.occurred_at,
        client_at=body.client_at,
        rulebook=desk.rulebook,
        sample=bool(street and street.sample),
        identity=_caller(body),
    )


def _caller(body: ReportIn) -> Identity | None:
    given = body.reporter
    return Identity(given.name, given.phone, given.email, given.contact) if given is not None else None


def _sender(person: Person, anonymous: bool) -> Sender:
    """The post that speaks: who leads a branch or walks a grid reports as such."""
    roles = person.roles - {Role.REPORTER}
    speaking = next((role for role in _FIELD_ROLES if role in roles), min(roles, default=None))
    name = "" if person.machine else person.name
    return Sender(person.account_id, person.account_id, speaking or Role.REPORTER, bool(roles), anonymous, name)


def _check_rights(body: ReportIn, person: Person) -> None:
    if (body.call_now or body.in_grid) and not person.has_role(Role.GRID_SECRETARY):
        raise Refusal("not_permitted", "call_now" if body.call_now else "in_grid", status=403)
    if body.direct and not person.has_role(*_FIELD_ROLES):
        raise Refusal("not_permitted", "direct", status=403)
    if body.on_the_spot is not None:
        if not person.has_role(*_FIELD_ROLES):
            raise Refusal("not_permitted", "on_the_spot", status=403)
        if body.danger or body.life:
            raise Refusal("danger_not_on_the_spot", "on_the_spot")
    for_another = next((name for name in ("source", "reporter") if getattr(body, name) is not None), None)
    if for_another is not None and not (person.machine or person.has_role(*RIGHTS[Right.REGISTER].roles)):
        raise Refusal("not_permitted", for_another, status=403)


def _check_times(body: ReportIn, now: datetime) -> None:
    if body.occurred_at is not None and body.occurred_at > now + _FUTURE:
        raise Refusal("in_the_future", "occurred_at")


def _source(body: ReportIn, person: Person, rulebook: Rulebook, sender: Sender) -> str:
    if body.source is None:
        return _OWN_SOURCES.get(sender.role, _OTHER_SOURCE) if sender.role else _OTHER_SOURCE
    if body.source not in rulebook.sources and not person.machine:
        raise Refusal("unknown_source", "source")
    return body.source


def _category(body: ReportIn, rulebook: Rulebook) -> CategoryRef | None:
    if body.category is None:
        return None
    asked = CategoryRef(body.category.scheme, body.category.version, body.category.code)
    if rulebook.category_of(asked) is None:
        raise Refusal("unknown_category", "category")
    return asked
