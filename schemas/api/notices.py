"""Bodies of what people are told: a person's notices and choices, the robots of groups, what was sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.api.base import CLEAN, Code, Flagged, In, Line, Moment, Out

Way = Literal["email", "sms", "wecom", "dingtalk"]
RobotKind = Literal["wecom", "dingtalk"]
_ATOM = r"[A-Za-z0-9_%+-]+"
_MAIL_PATTERN = rf"^({_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)?$"
Email = Annotated[str, Field(max_length=200, pattern=_MAIL_PATTERN), *CLEAN]
Phone = Annotated[str, Field(max_length=20, pattern=r"^(\+?[0-9]{5,19})?$"), *CLEAN]
Called = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._@+-]*$"), *CLEAN]
RobotUrl = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s/]+\S*$"), *CLEAN]
Ways = Annotated[tuple[Way, ...], Field(max_length=4), AfterValidator(lambda ways: tuple(dict.fromkeys(ways)))]


class NoticeOut(Out):
    """One thing that the caller was told. `merged`: it stands for `count` that came late, to be asked for with
    `merged=id`. `planned_at`: when it had been due, `at`: when it was told."""

    id: int
    kind: str
    title: str
    about: str
    notes: tuple[str, ...] = ()
    case_no: str | None = None
    post: str
    urgent: bool
    merged: bool = False
    count: int | None = None
    planned_at: Moment | None = None
    at: Moment
    read_at: Moment | None = None


class NoticePageOut(Out):
    """A page of notices, newest first; `unread` counts up to 100."""

    items: tuple[NoticeOut, ...]
    next: str | None = None
    unread: int


class UnreadOut(Out):
    """How many notices the caller has not read, counted up to 100, and the newest of them."""

    unread: int
    newest: int | None = None


class ReadIn(In):
    """Either one notice, or all up to and with one."""

    id: int | None = Field(default=None, ge=1)
    upto: int | None = Field(default=None, ge=1)


class ReadOut(Out):
    """How many were not read before."""

    read: int


class ChoicesIn(In):
    """Changes to one's own addresses and ways; a field left out stays, '' takes an address away."""

    email: Email | None = None
    phone: Phone | None = None
    wecom: Called | None = None
    dingtalk: Called | None = None
    off: Ways | None = None


class ChoicesOut(Out):
    """One's own addresses and the ways not wanted; `ways`: those by which the system can send at all."""

    email: str | None = None
    phone: str | None = None
    wecom: str | None = None
    dingtalk: str | None = None
    off: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()


class TestIn(In):
    """By which way to send oneself a test message."""

    way: Literal["email", "sms"]


class RobotIn(In):
    """The robot of a group. `unit`: of that unit's people; else `area`: of the people of that area and below, '' for
    posts over the whole street. Address and secret are never shown again."""

    kind: RobotKind
    name: Line
    url: RobotUrl
    secret: Line | None = None
    area: Annotated[str, Field(max_length=20), *CLEAN] = ""
    unit: Code | None = None
    per_minute: int = Field(default=20, ge=1, le=60)


class RobotPatchIn(In):
    """Changes to a robot; a field left out stays."""

    name: Line | None = None
    url: RobotUrl | None = None
    secret: Line | None = None
    per_minute: int | None = Field(default=None, ge=1, le=60)
    active: Flagged | None = None


class RobotOut(Out):
    """A robot without its address."""

    id: str
    kind: str
    name: str
    area: str
    area_name: str | None = None
    unit: str | None = None
    unit_name: str | None = None
    url_hint: str
    signed: bool
    per_minute: int
    active: bool
    created_at: Moment
    last_success_at: Moment | None = None
    last_error: str | None = None


class RobotsOut(Out):
    """Every robot; `ways`: by which the system can send to single people, as its settings say."""

    items: tuple[RobotOut, ...]
    ways: tuple[str, ...] = ()


class TryOut(Out):
    """One attempt."""

    n: int
    at: Moment
    status: int | None = None
    latency_ms: int
    error: str | None = None
    reply: str | None = None


class ToldOut(Out):
    """One notice in a message: who was told what of which case."""

    name: str
    post: str
    title: str
    case_no: str | None = None
    planned_at: Moment | None = None
    at: Moment
    read_at: Moment | None = None


class MessageOut(Out):
    """One message that was pushed. `to`: the person's or the group's name, never an address."""

    id: str
    way: str
    to: str
    size: int
    state: Literal["waiting", "sending", "sent", "dead"]
    attempts: int
    created_at: Moment
    sent_at: Moment | None = None
    next_at: Moment | None = None
    last_status: int | None = None
    last_error: str | None = None
    told: tuple[ToldOut, ...] = ()
    history: tuple[TryOut, ...] = ()


class MessagePageOut(Out):
    """A page of messages, newest first."""

    items: tuple[MessageOut, ...]
    next: str | None = None


class MadeOut(Out):
    """The message that was put on its way."""

    id: str
