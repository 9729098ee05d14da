"""Bodies around who reports: given by himself, shown masked, revealed with a reason."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from schemas.api.base import In, Line, Moment, Out
from services.governance.cycle import Role

_SHORT = 40
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}")
_ABROAD = re.compile(r"\+\d{8,15}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _number(value: Any) -> Any:
    """Signs people put between digits, full-width digits and the country's own prefix do not count."""
    if not isinstance(value, str):
        return value
    plain = re.sub(r"[\s().·]|(?<=\d)-(?=\d{4}\b)", "", unicodedata.normalize("NFKC", value))
    return re.sub(r"^(?:\+|00)86(?=1[3-9]|0)", "", plain)


def _phone(value: str) -> str:
    if value and not any(shape.fullmatch(value) for shape in (_MOBILE, _LANDLINE, _ABROAD)):
        raise PydanticCustomError("phone_format", "a phone number is needed")
    return value


def _mail(value: str) -> str:
    if value and not _MAIL.fullmatch(value):
        raise PydanticCustomError("email_format", "a mail address is needed")
    return value


def _short(value: str) -> str:
    if len(value) > _SHORT:
        raise PydanticKnownError("string_too_long", {"max_length": _SHORT})
    return value


Short = Annotated[Line, AfterValidator(_short)]


class IdentityIn(In):
    """Who reports and how he wishes to be spoken to. One of the three is enough; a wish needs what it goes by."""

    name: Short = ""
    phone: Annotated[Short, BeforeValidator(_number), AfterValidator(_phone)] = ""
    email: Annotated[Line, AfterValidator(_mail)] = ""
    contact: Literal["none", "phone", "email"] = "none"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not (self.name or self.phone or self.email):
            raise PydanticCustomError("identity_empty", "a name, a phone number or a mail address is needed")
        if self.contact != "none" and not getattr(self, self.contact):
            raise PydanticCustomError("contact_missing", "the way of contact is not given")
        return self


class RevealReason(StrEnum):
    """Why somebody must know who reported. Words: labels under `reveal.`."""

    NEED_TO_CALL = "need_to_call"
    VISIT = "visit"
    DANGER = "danger"
    ON_BEHALF = "on_behalf"


class RevealedOut(Out):
    """One look that somebody took, as the reporter is told of it: which post and why, never which person."""

    at: Moment
    role: Role
    role_name: str
    reason: RevealReason
    reason_name: str


class ReporterOut(Out):
    """What the vault holds about the reporter, masked, and who had it shown."""

    given: bool
    name: str = ""
    phone: str = ""
    email: str = ""
    contact: Literal["none", "phone", "email"] = "none"
    given_at: Moment | None = None
    revealed: tuple[RevealedOut, ...] = ()


class RevealIn(In):
    """A reason is always given, and kept."""

    reason: RevealReason


class IdentityRevealedOut(Out):
    """The reporter in clear, for this once. `watermark` belongs across whatever shows it: who looked, and when."""

    name: str
    phone: str
    email: str
    contact: Literal["none", "phone", "email"]
    watermark: str
    at: Moment
