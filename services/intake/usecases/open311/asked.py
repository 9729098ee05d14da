"""What a client sends: a form with its attributes, and the filters of a list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from services.chassis.directory.model import Directory
from services.intake.store.open311 import Range, Sought
from services.intake.usecases.place import home_of
from services.intake.usecases.refusal import Refusal

SPAN = timedelta(days=90)
ROWS_MOST = 1000
IDS_MOST = 1000
PAGES_MOST = 1000
FIELDS_MOST = 300
KEY = "api_key"
STATUSES = frozenset({"open", "closed"})
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,64})\](?:\[\d*\])?")
_LOST_PLUS = re.compile(r"(T[\d:.]+) (\d\d:\d\d)")  # a plus sign that was not escaped arrives as a blank


@dataclass(frozen=True, slots=True)
class Form:
    """A filled-in form: plain fields, and the answers to each attribute in their order. Empty ones are not there."""

    fields: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        return self.fields.get(name)


def read_form(body: bytes, query: str) -> Form:
    """The form of a request; what stands in the address as well is overruled by the body. Raises Refusal 400."""
    try:
        pairs = [*_pairs(query), *_pairs(body.decode("utf-8"))]
    except ValueError as error:
        raise Refusal("form_unreadable", status=400) from error
    fields: dict[str, str] = {}
    attributes: dict[str, list[str]] = {}
    for name, value in pairs:
        asked = _ATTRIBUTE.fullmatch(name)
        if asked is None:
            fields[name] = value
        else:
            attributes.setdefault(asked[1], []).append(value)
    return Form(fields, {name: tuple(values) for name, values in attributes.items()})


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    found = parse_qsl(text, encoding="utf-8", errors="strict", max_num_fields=FIELDS_MOST)
    return ((name.strip(), value.strip()) for name, value in found if value.strip())


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters as they were written; None and '' mean not given."""

    service_request_id: str | None = None
    service_code: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    status: str | None = None
    updated_after: str | None = None
    updated_before: str | None = None
    external_id: str | None = None
    mine: bool = False
    page: int = 1
    page_size: int = ROWS_MOST
    after: tuple[datetime, str] | None = None


def sought(asked: Filters, street: str, caller: str | None, now: datetime) -> Sought:
    """What the store is to look for. `caller` holds the key. Raises Refusal naming the filter at fault."""
    ids, outer = _listed(asked.service_request_id), _listed(asked.external_id)
    if len(ids) > IDS_MOST or len(outer) > IDS_MOST:
        raise Refusal("too_many_ids", "service_request_id" if ids else "external_id", status=400, most=IDS_MOST)
    if (asked.mine or outer) and caller is None:
        raise Refusal("api_key_missing", KEY, status=403)
    if ids:  # overrides all other arguments
        return Sought(street, ids=ids, caller=caller, limit=ROWS_MOST)
    return Sought(
        street,
        codes=_listed(asked.service_code),
        statuses=_statuses(asked.status),
        caller=caller,
        mine=asked.mine or bool(outer),
        external=outer,
        requested=_requested(asked, bool(outer), now),
        updated=_range("updated_after", asked.updated_after, "updated_before", asked.updated_before, now),
        limit=asked.page_size,
        skip=(asked.page - 1) * asked.page_size if asked.after is None else 0,
        after=asked.after,
    )


def moment(name: str, text: str) -> datetime:
    """A time in the standard's form. Raises Refusal for another form, or one without its offset."""
    try:
        at = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text.strip()))
    except ValueError:
        raise Refusal("date_format", name, status=400) from None
    if at.tzinfo is None or not 1900 <= at.year <= 9000:  # beyond lie years that no database takes with every offset
        raise Refusal("date_format", name, status=400)
    return at


def storable(text: str) -> str:
    """Without the one character that no text in the database can have; what is looked for is not found then."""
    return text.replace("\0", "\ufffd")


def street_of(jurisdiction: str | None, directory: Directory) -> str:
    """The street that is meant; where there is one only it need not be told. Raises Refusal."""
    if jurisdiction:
        if jurisdiction not in directory.streets:
            raise Refusal("jurisdiction_unknown", "jurisdiction_id", status=404)
        return jurisdiction
    if len(directory.streets) > 1:
        raise Refusal("jurisdiction_missing", "jurisdiction_id", status=400)
    return home_of((), directory).street


def _requested(asked: Filters, by_number: bool, now: datetime) -> Range | None:
    """The last 90 days where nothing is said. Whoever asks for changes or for his own numbers means any age."""
    dated = asked.start_date or asked.end_date
    if not dated and (by_number or asked.updated_after or asked.updated_before):
        return None
    return _range("start_date", asked.start_date, "end_date", asked.end_date, now) or Range(now - SPAN, None)


def _range(begins: str, first: str | None, ends: str, last: str | None, now: datetime) -> Range | None:
    """Between two moments at most 90 days apart; where one is missing, so far from the other."""
    if not first and not last:
        return None
    begin = moment(begins, first) if first else None
    end = moment(ends, last) if last else None
    if begin is not None and end is not None:
        if end < begin:
            raise Refusal("range_backwards", ends, status=400)
        if end - begin > SPAN:
            raise Refusal("range_too_long", ends, status=400, days=SPAN.days)
        return Range(begin, end)
    if begin is not None:
        return Range(begin, begin + SPAN if begin + SPAN < now else None)
    return Range(end - SPAN if end else None, end)


def _statuses(text: str | None) -> frozenset[str]:
    asked = frozenset(_listed(text))
    if unknown := asked - STATUSES:
        raise Refusal("status_unknown", "status", status=400, value=", ".join(sorted(unknown))[:60])
    return asked


def _listed(text: str | None) -> tuple[str, ...]:
    parts = (part.strip() for part in storable(text or "").split(","))
    return tuple(dict.fromkeys(part for part in parts if part))
