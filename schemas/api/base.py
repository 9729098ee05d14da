"""What request and response bodies of the three services share."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool
from pydantic_core import PydanticCustomError

from services.governance.cycle import Role

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class In(BaseModel):
    """A request body: a field we do not know is a caller's mistake and is said so."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Out(BaseModel):
    """A response body; callers must ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)


def _printable(text: str) -> str:
    """NUL and other control characters cannot be stored or shown; tab and line ends can."""
    if not text.isprintable() and _CONTROL.search(text) is not None:
        raise PydanticCustomError("control_character", "control characters are not allowed")
    return text


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


CLEAN = (BeforeValidator(_stripped), AfterValidator(_printable))
Code = Annotated[str, Field(min_length=1, max_length=64), *CLEAN]
Line = Annotated[str, Field(max_length=200), *CLEAN]
Text = Annotated[str, Field(max_length=2000), *CLEAN]
Url = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s/]+"), *CLEAN]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Degrees = Annotated[float, Field(ge=-180, le=180)]
"""A longitude or a latitude. Both may be as wide as a longitude, so that a swapped pair is told that it is swapped."""
Flagged = StrictBool
Moment = AwareDatetime


class CategoryIn(In):
    """A class of the rulebook; a code alone is ambiguous."""

    scheme: Code
    version: Code
    code: Code


class PostOut(Out):
    """One post in force: a role over an area or for a unit, with the words to show."""

    role: Role
    area: str
    unit: str | None = None
    label: str


class SessionOut(Out):
    """Who is signed in and where he may go."""

    account_id: str
    name: str
    lang: str
    posts: tuple[PostOut, ...]
    sample: bool
    desks: tuple[str, ...]
