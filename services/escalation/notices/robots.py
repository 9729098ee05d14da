"""The robots of WeCom (企业微信) and DingTalk (钉钉) groups: their body, their signature, what they call a success."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus

import orjson

from services.escalation.notices.choosing import Addresses
from services.escalation.notices.letters import Letter, markdown

HEADERS: Final = {"content-type": "application/json; charset=utf-8"}
BUSY: Final = frozenset({45009, 130101, 660026})
"""Their codes for too many messages a minute."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One maker's robots. `body` takes the letter and the ids of those called upon; `sign` what stands at the end of
    the address, from the secret, at a moment; `id_of` by which a person is called upon; `pause_s`: it keeps quiet for
    so long once it has had too many."""

    name: str
    body: Callable[[Letter, Sequence[str]], Mapping[str, Any]]
    sign: Callable[[bytes | None, datetime], str]
    id_of: Callable[[Addresses], str | None]
    pause_s: float


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a robot took it, else why not; `busy`: it had too many."""

    ok: bool
    error: str | None = None
    busy: bool = False


def _wecom(letter: Letter, people: Sequence[str]) -> Mapping[str, Any]:
    return {"msgtype": "markdown", "markdown": {"content": markdown(letter, [f"<@{one}>" for one in people])}}


def _dingtalk(letter: Letter, people: Sequence[str]) -> Mapping[str, Any]:
    text = markdown(letter, [f"@{one}" for one in people])
    return {
        "msgtype": "markdown",
        "markdown": {"title": letter.subject, "text": text},
        "at": {"atUserIds": list(people), "isAtAll": False},
    }


def _unsigned(_secret: bytes | None, _now: datetime) -> str:
    return ""


def _dingtalk_sign(secret: bytes | None, now: datetime) -> str:
    """HMAC-SHA256 of milliseconds and secret under the secret, as DingTalk wants it; nothing without a secret."""
    if secret is None:
        return ""
    stamp = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret, stamp.encode() + b"\n" + secret, hashlib.sha256).digest()
    return f"&timestamp={stamp}&sign={quote_plus(base64.b64encode(digest))}"


KINDS: Final[Mapping[str, Kind]] = {
    "wecom": Kind("wecom", _wecom, _unsigned, lambda mine: mine.get("wecom"), pause_s=60),
    "dingtalk": Kind("dingtalk", _dingtalk, _dingtalk_sign, lambda mine: mine.get("dingtalk"), pause_s=600),
}


def encoded(kind: Kind, letter: Letter, people: Sequence[str]) -> bytes:
    """The body as it is posted."""
    return json.dumps(kind.body(letter, people), ensure_ascii=False).encode()


def judge(status: int | None, reply: str) -> Judged:
    """What an answer means: a 200 with a failing code inside is a failure."""
    if status is None or not 200 <= status < 300:
        return Judged(ok=False, error=None if status is None else f"status_{status}", busy=status == 429)
    try:
        code = orjson.loads(reply).get("errcode")  # unlike json, it refuses what is nested without end
    except (ValueError, AttributeError):
        return Judged(ok=False, error="unreadable_answer")
    if code == 0:
        return Judged(ok=True)
    return Judged(ok=False, error=f"errcode_{code}", busy=code in BUSY)
