"""What an endpoint would be sent: the newest message of a kind that was made for it, else one about a made-up case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from schemas.envelope import Envelope
from schemas.events.case import CaseFactV1
from schemas.registry import decode
from schemas.webhook_bodies import hook_body, ping_body
from schemas.webhooks import CASE_HOOKS, TestPingV1
from services.chassis.db import Tx, grid_now
from services.escalation.dialects.base import Message, Ping, Told
from services.escalation.dialects.known import dialect
from services.escalation.store import deliveries
from services.escalation.store.endpoints import Endpoint

EXAMPLES: Final = Path(__file__).resolve().parents[3] / "schemas" / "examples"
_SUBJECT: Final = "test:preview"


@dataclass(frozen=True, slots=True)
class Preview:
    """A message and where it comes from."""

    headers: dict[str, Any]
    body: bytes
    of: Literal["sent", "made_up"]


async def preview(tx: Tx, endpoint: Endpoint, kind: str) -> Preview | None:
    """What `kind` looks like for this endpoint; None for a kind that is unknown, or that its dialect cannot say."""
    sent = await deliveries.newest_of_kind(tx, endpoint.id, kind)
    if sent is not None and dialect(endpoint.manner.dialect).wrote(Message(sent[1], sent[2])):
        return Preview(sent[1], sent[2], "sent")
    made = _made_up(endpoint, kind) if kind != TestPingV1.KIND else await _ping(tx, endpoint)
    return None if made is None else Preview(dict(made.headers), made.body, "made_up")


async def _ping(tx: Tx, endpoint: Endpoint) -> Message:
    now = await grid_now(tx)
    return dialect(endpoint.manner.dialect).ping(
        Ping(str(endpoint.id), _SUBJECT, now, ping_body(str(endpoint.id), now))
    )


def _made_up(endpoint: Endpoint, kind: str) -> Message | None:
    """From the published example of the fact that causes this kind."""
    hook = next((hook for hook in CASE_HOOKS if kind == hook.KIND), None)
    if hook is None:
        return None
    fact = example(hook.FACTS[0])
    name = "" if fact.data.standing.category is None else fact.data.standing.category.code
    body = hook_body(fact, kind, sequence=1, category_name=name)
    told = Told(
        event=fact,
        kind=kind,
        number=1,
        hook=body,
        partner=endpoint.manner.partner,
        crs=endpoint.manner.crs,
        category_name=name,
    )
    try:
        return dialect(endpoint.manner.dialect).write(told)
    except ValueError:
        return None


def example(fact: str) -> Envelope[CaseFactV1]:
    """The published example of a case event. Raises FileNotFoundError for a kind that has none."""
    stored = json.loads((EXAMPLES / fact / "v1" / "plain.json").read_text("utf-8"))
    headers = {name: value.encode() for name, value in stored["headers"].items()}
    found = decode(headers, json.dumps(stored["data"]).encode())
    if not isinstance(found.data, CaseFactV1):
        raise FileNotFoundError(f"{fact} is no case fact")
    return found  # type: ignore[return-value] # narrowed above; Envelope is generic over its body
