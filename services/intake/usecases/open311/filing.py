"""From a filled-in form to the draft of a report: the same checks, the same writing, the same vault as at any door."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from schemas.api.open311 import FiledIn, FormIn
from schemas.labels import Labels
from services.chassis.auth.person import Person
from services.governance.rulebook import Category
from services.intake.usecases.check import Desk, check
from services.intake.usecases.draft import Draft
from services.intake.usecases.identity import Identity
from services.intake.usecases.open311.asked import KEY, Form, moment
from services.intake.usecases.open311.offer import CONDITION, DANGER, LANDMARK, NO, OCCURRED, YES, class_of
from services.intake.usecases.place import Home
from services.intake.usecases.refusal import Refusal

SOURCE = "open311"
_OTHERWISE = "app"  # a street that counts this door by itself names it among its sources
_REPEATS_S = 600  # the same form again is a repeat for so long, and for at most twice as long
_ANSWERS = (CONDITION, DANGER, LANDMARK, OCCURRED)
_WORDS = Labels("zh-CN")  # of what is added to the text: it is read in the street


@dataclass(frozen=True, slots=True)
class Keys:
    """Under which key a form is kept: the client's own, or the form itself within a time. `before`: a key of that kind
    that may already be in use."""

    key: str
    before: str | None = None


def keys_of(form: Form, header: str | None, now: datetime) -> Keys:
    """`Idempotency-Key`, else the client's own number, else the form."""
    if header is not None and header.strip():
        if len(header) > 200 or not header.isprintable():
            raise Refusal("key_format", "Idempotency-Key", status=400)
        return Keys(f"open311:{header.strip()}")
    if number := form.get("external_id"):
        return Keys(f"open311-number:{number[:200]}")
    turn = int(now.timestamp()) // _REPEATS_S
    return Keys(f"open311-form:{digest_of(form)}:{turn}", f"open311-form:{digest_of(form)}:{turn - 1}")


def of_number(refusal: Refusal, form: Form, header: str | None) -> Refusal:
    """The refusal of a key that stands for something else, said of the number where the client sent no key."""
    if refusal.code == "idempotency_key_reused" and form.get("external_id") and not (header or "").strip():
        return Refusal("external_id_reused", "external_id", status=400)
    return refusal


def digest_of(form: Form) -> str:
    """Tells one form from another, whatever the order of its fields and whoever's key opened the door."""
    plain = [{name: value for name, value in form.fields.items() if name != KEY}, form.attributes]
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def draft_of(form: Form, key: str, report_id: UUID, person: Person, home: Home, desk: Desk) -> Draft:
    """The draft of a form. Raises Refusal, or pydantic's ValidationError with the standard's names of the fields."""
    code = form.get("service_code")
    if code is None:
        raise Refusal("service_missing", "service_code", status=400)
    category = class_of(desk.rulebook, code)
    given = FormIn.model_validate(dict(form.fields))
    answers = _answers(form)
    if category is None and answers.get(CONDITION):
        raise Refusal("attribute_unknown", f"attribute[{CONDITION}]", status=400)
    place = _place(form, given, desk)
    body = FiledIn.model_validate(
        {
            "category": _class(category),
            "text": _text(given, _condition(category, answers.get(CONDITION), desk)),
            "danger": _danger(answers.get(DANGER)),
            "landmark": "，".join(filter(None, (place.pop("beside", ""), answers.get(LANDMARK, "")))),
            "source": SOURCE if SOURCE in desk.rulebook.sources else _OTHERWISE,
            **({OCCURRED: moment(f"attribute[{OCCURRED}]", answers[OCCURRED])} if OCCURRED in answers else {}),
            **place,
        }
    )
    draft = check(body, key, report_id, person, home, desk)
    return replace(
        draft,
        body_sha256=f"\\x{digest_of(form)}",
        source_event_id=f"{person.account_id}/{given.external_id}" if given.external_id else None,
        identity=_identity(given),
    )


def _answers(form: Form) -> Mapping[str, str]:
    """One answer to each question that is asked. Raises Refusal for another question, or for several answers."""
    for name, values in form.attributes.items():
        if name not in _ANSWERS:
            raise Refusal("attribute_unknown", f"attribute[{name}]", status=400)
        if len(values) > 1:
            raise Refusal("attribute_value", f"attribute[{name}]", status=400)
    return {name: values[0] for name, values in form.attributes.items()}


def _condition(category: Category | None, answer: str | None, desk: Desk) -> str | None:
    if category is None or answer is None:
        return None
    if answer not in category.conditions:
        raise Refusal("attribute_value", f"attribute[{CONDITION}]", status=400)
    return desk.rulebook.conditions[answer].text


def _danger(answer: str | None) -> bool:
    if answer not in (None, YES, NO):
        raise Refusal("attribute_value", f"attribute[{DANGER}]", status=400)
    return answer == YES


def _class(category: Category | None) -> dict[str, str] | None:
    return {"scheme": category.scheme, "version": category.version, "code": category.code} if category else None


def _text(given: FormIn, condition: str | None) -> str:
    """The description, and below it what else was said, one line each."""
    lines = [given.description]
    if condition:
        lines.append(_WORDS.text("open311.line.condition", text=condition))
    if given.media_url:
        lines.append(_WORDS.text("open311.line.media", text=given.media_url))
    return "\n".join(line for line in lines if line)


def _place(form: Form, given: FormIn, desk: Desk) -> dict[str, Any]:
    """The location parameter: a pin, words, or the id of a named place; a pin goes before the others' pin."""
    words, place_id = form.get("address_string"), form.get("address_id")
    if (given.lat is None) != (given.long is None):
        raise Refusal("location_half", "long" if given.long is None else "lat", status=400)
    place = desk.directory.places.get(place_id) if place_id else None
    if place_id and place is None:
        raise Refusal("address_unknown", "address_id", status=400)
    told: dict[str, Any] = {"place_words": words or (place.name if place else "")}
    if given.lat is not None:
        return told | {"position": {"lng": given.long, "lat": given.lat}}
    if place is not None and place.cell is not None:
        return told | {"position": {"cell": place.cell}, "place_words": place.name, "beside": words or ""}
    if not told["place_words"]:
        raise Refusal("location_missing", "lat", status=400)
    return told


def _identity(given: FormIn) -> Identity | None:
    """Who reports, as far as he says so; family name first where both are Chinese."""
    first, last = given.first_name, given.last_name
    western = (first + last).isascii()
    name = " ".join(filter(None, (first, last))) if western else last + first
    identity = Identity(name=name, phone=given.phone, email=given.email)
    return identity if identity else None
