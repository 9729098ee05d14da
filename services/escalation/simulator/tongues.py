"""Each dialect as the platform at the other end speaks it: reading and checking, answering, calling back."""

from __future__ import annotations

import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from services.chassis.clock import LOCAL
from services.chassis.signing import BadSignatureError, decode_secret, sign, verify
from services.escalation.simulator.book import Arrived

TOLERANCE_S: Final = 300
ETA: Final = timedelta(hours=8)
STEPS: Final = ("accepted", "disposed", "closed")
"""What a platform tells of a whistle, in this order."""
STRANGE: Final = "strange"
"""A step that nobody has agreed on."""
_UNIT: Final = "区城市管理局"


@dataclass(frozen=True, slots=True)
class Posted:
    """A body with its headers."""

    headers: Mapping[str, str]
    body: bytes


class Tongue(ABC):
    """One dialect."""

    @abstractmethod
    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Arrived:
        """The message, and whether it is genuine. Raises ValueError for what is none."""

    @abstractmethod
    def answer(self, arrived: Arrived, *, failing: bool) -> str:
        """The body of a 200; `failing` says inside that it failed."""

    @abstractmethod
    def call_back(self, step: str, arrived: Arrived, message_id: str, now: datetime) -> Posted:
        """What the platform posts when it has come so far with a case."""


@dataclass(frozen=True, slots=True)
class NativeTongue(Tongue):
    """CloudEvents JSON, signed with a secret each way."""

    secret: str
    back_secret: str

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Arrived:
        told = json.loads(body)
        data = told["data"]
        why = None
        try:
            ident, stamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
            verify(decode_secret(self.secret), ident, stamp, given, body, now)
        except BadSignatureError as error:
            why = str(error)
        return Arrived(
            message_id=headers.get("webhook-id", ""),
            case=str(data.get("case_no", data.get("webhook_id", ""))),
            what=str(told["type"]),
            sequence=int(data.get("sequence", 0)),
            whistle=data.get("intent") == "whistle",
            case_no=str(data.get("case_no", "")),
            pictures=tuple(str(one["url"]) for one in data.get("attachments", ())),
            why=why,
        )

    def answer(self, arrived: Arrived, *, failing: bool) -> str:
        told: dict[str, object] = {"code": 5001, "message": "系统繁忙"} if failing else {"received": arrived.message_id}
        return json.dumps(told, ensure_ascii=False)

    def call_back(self, step: str, arrived: Arrived, message_id: str, now: datetime) -> Posted:
        said: dict[str, object] = {"case_no": arrived.case_no, "unit": _UNIT}
        if step == "accepted":
            said["eta"] = (now + ETA).isoformat()
        told = {"type": f"case.{step}", "timestamp": now.isoformat(), "data": said}
        body = json.dumps(told, ensure_ascii=False).encode()
        proof = sign([decode_secret(self.back_secret)], message_id, now, body)
        return Posted({"content-type": "application/json", **proof}, body)


_CODES: Final = {"accepted": "118", "disposed": "105", "closed": "107", STRANGE: "777"}


@dataclass(frozen=True, slots=True)
class FormTongue(Tongue):
    """The form record with appKey, time and digest."""

    app_key: str
    secret: str

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Arrived:
        fields = dict(parse_qsl(body.decode(), strict_parsing=True))
        return Arrived(
            message_id=fields.get("msgId", headers.get("webhook-id", "")),
            case=fields["taskNum"],
            what=f"{fields.get('eventState', '')} {fields.get('eventStateName', '')}".strip() or "测试",
            sequence=int(fields.get("sequence", "0")),
            whistle=fields.get("eventState") == "124",
            case_no=fields.get("sourceNum", ""),
            pictures=tuple(str(one["url"]) for one in json.loads(fields.get("attachments", "[]"))),
            why=self._why(fields, now),
        )

    def answer(self, arrived: Arrived, *, failing: bool) -> str:
        good = {"code": "0", "message": "success", "data": {"taskNum": arrived.case}}
        return json.dumps({"code": "5001", "message": "系统繁忙"} if failing else good, ensure_ascii=False)

    def call_back(self, step: str, arrived: Arrived, message_id: str, now: datetime) -> Posted:
        fields = {
            "msgId": message_id,
            "taskNum": arrived.case,
            "sourceNum": arrived.case_no,
            "eventState": _CODES[step],
            "disposeUnitName": _UNIT,
            "operateTime": _local(now),
            "appKey": self.app_key,
            "time": str(int(now.timestamp() * 1000)),
        }
        if step == "accepted":
            fields["limitTime"] = _local(now + ETA)
        fields = {name: value for name, value in fields.items() if value}
        fields["digest"] = self._digest(fields)
        return Posted({"content-type": "application/x-www-form-urlencoded"}, urlencode(fields).encode())

    def _why(self, fields: Mapping[str, str], now: datetime) -> str | None:
        if fields.get("appKey") != self.app_key:
            return "appKey"
        if abs(now.timestamp() - int(fields.get("time", "0")) / 1000) > TOLERANCE_S:
            return "time"
        return None if hmac.compare_digest(fields.get("digest", ""), self._digest(fields)) else "digest"

    def _digest(self, fields: Mapping[str, str]) -> str:
        pairs = sorted((name, value) for name, value in fields.items() if name != "digest")
        signed = "&".join(f"{name}={value}" for name, value in pairs)
        return hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def _local(moment: datetime) -> str:
    return moment.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M:%S")
