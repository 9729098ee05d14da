"""Bodies of the door for other authorities: a matter as they know it, and what became of each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.api.base import CLEAN, Code, Flagged, In, Line, Moment, Out
from schemas.api.intake import PositionIn
from services.governance.cycle import Nature

ITEMS_MAX = 200
OURS = "grid"
"""Our own name among `also_known_as`: the number is then one of our cases."""

Number = Annotated[str, Field(min_length=1, max_length=128), *CLEAN]
LongText = Annotated[str, Field(max_length=5000), *CLEAN]
Short = Annotated[str, Field(max_length=100), *CLEAN]
_NATURES = {
    **dict.fromkeys(("投诉", "举报", "投诉举报"), "complaint"),
    **dict.fromkeys(("求助", "求决", "诉求"), "help"),
    "咨询": "enquiry",
    **dict.fromkeys(("建议", "意见建议"), "suggestion"),
    **dict.fromkeys(("表扬", "感谢"), "thanks"),
}


def _nature(value: Any) -> Any:
    return _NATURES.get(value.strip(), value) if isinstance(value, str) else value


class KnownAsIn(In):
    """The number of the same matter elsewhere; `source` is a partner's name, or `grid` for a case of ours."""

    source: Code
    external_id: Number


class TheirCategoryIn(In):
    """A class in their own scheme; without `scheme` the one that was agreed with the partner."""

    code: Code
    name: Line = ""
    scheme: Code | None = None
    version: Code | None = None


class CallerIn(In):
    """Who called, as far as they say; goes to the vault."""

    name: Short = ""
    phone: Short = ""
    email: Short = ""


class PushedIn(In):
    """One matter. `due`: by when they want it done; the earlier of theirs and ours counts."""

    external_id: Number
    also_known_as: Annotated[tuple[KnownAsIn, ...], Field(max_length=20)] = ()
    category: TheirCategoryIn | None = None
    nature: Annotated[Nature, BeforeValidator(_nature)] = Nature.COMPLAINT
    text: LongText = ""
    position: PositionIn | None = None
    place_words: Line = ""
    danger: Flagged = False
    life: Flagged = False
    occurred_at: Moment | None = None
    due: Moment | None = None
    caller: CallerIn | None = None


class NumberedIn(BaseModel):
    """The number of a matter, whatever else it says and is wrong with it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    external_id: Number


class PushIn(In):
    """Several matters in one message; each is judged by itself, so `items` are looked at one by one."""

    items: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=ITEMS_MAX)]


class WrongOut(Out):
    """What is wrong with one field and what to do about it."""

    field: str
    code: str
    message: str = ""
    remedy: str | None = None


class PushedOut(Out):
    """What became of one matter. `known`: it was here before, and `changed` says that it was told otherwise then."""

    external_id: str | None = None
    result: Literal["accepted", "known", "refused"]
    changed: bool = False
    id: str | None = None
    receipt_no: str | None = None
    track_url: str | None = None
    errors: tuple[WrongOut, ...] = ()


class PushOut(Out):
    """In the order of the items. The same `webhook-id` gets the same answer for ever."""

    accepted: int
    known: int
    refused: int
    results: tuple[PushedOut, ...]
