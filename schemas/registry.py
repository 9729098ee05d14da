"""(kind, version) → class, and the codec of the wire: CloudEvents 1.0 in Kafka binary mode.

Three ways to fail, kept apart because they end differently: an unknown type or a newer version is *held* with its key
until code that knows it runs; only what nobody can ever read is a dead letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from uuid import UUID

from pydantic import ValidationError

from schemas.envelope import Envelope, Head
from schemas.events.case import CASE_KINDS
from schemas.events.command import COMMAND_KINDS
from schemas.events.report import REPORT_KINDS
from schemas.events.sla import SLA_KINDS
from schemas.wire import Body

_URN = "urn:grid:"
_ATTRIBUTES = frozenset(
    f"ce_{name}"
    for name in (
        *("specversion", "id", "source", "type", "time", "subject", "dataschema", "sequence"),
        *("causationid", "correlationid", "traceparent"),
    )
)
Kinds = Mapping[str, tuple[type[Body], ...]]
_KINDS: Kinds = {**REPORT_KINDS, **CASE_KINDS, **SLA_KINDS, **COMMAND_KINDS}


class MessageError(Exception):
    """A message that cannot be given to its handler now. `head` is None when not even the attributes are readable."""

    def __init__(self, why: str, head: Head | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.head = head


class UnknownType(MessageError):
    """A kind this code does not know: hold its key."""


class NewerVersion(MessageError):
    """A newer version of a kind this code knows, or a word it does not know yet: hold its key."""


class UnreadableMessage(MessageError):
    """Bytes or a shape that no version allows: dead letter."""


def kinds() -> Kinds:
    """Every kind with its classes, oldest version first."""
    return _KINDS


def newest(kind: str) -> tuple[int, type[Body]]:
    """The newest version number of a kind and its class. Raises KeyError for an unknown kind."""
    classes = _KINDS[kind]
    return len(classes), classes[-1]


@cache
def dataschema(kind: str, version: int) -> str:
    """The URN that names the published JSON Schema."""
    return f"{_URN}{kind}:v{version}"


def encode(env: Envelope[Body]) -> tuple[dict[str, str], bytes]:
    """Headers and payload of one event."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(env.id),
        "ce_source": env.source,
        "ce_type": env.type,
        "ce_time": env.time.astimezone(UTC).isoformat(),
        "ce_subject": env.subject,
        "ce_dataschema": dataschema(env.type, env.version),
        "ce_sequence": str(env.sequence),
        "content-type": "application/json",
    }
    if env.causation_id is not None:
        headers["ce_causationid"] = str(env.causation_id)
    if env.correlation_id is not None:
        headers["ce_correlationid"] = env.correlation_id
    if env.traceparent is not None:
        headers["ce_traceparent"] = env.traceparent
    return headers, env.data.__pydantic_serializer__.to_json(env.data)


def read_head(headers: Mapping[str, bytes]) -> Head:
    """The attributes alone. Raises UnreadableMessage naming the attribute that is missing or broken."""
    return _head(_attributes(headers))


def _head(texts: Mapping[str, str]) -> Head:
    kind = _text(texts, "ce_type")
    if _text(texts, "ce_specversion") != "1.0":
        raise UnreadableMessage("ce_specversion: not 1.0")
    try:
        return Head(
            id=UUID(_text(texts, "ce_id")),
            type=kind,
            version=_version(kind, _text(texts, "ce_dataschema")),
            source=_text(texts, "ce_source"),
            subject=_text(texts, "ce_subject"),
            sequence=_positive(_text(texts, "ce_sequence")),
        )
    except ValueError as exc:
        raise UnreadableMessage(f"attributes of {kind}: {exc}") from exc


def decode(headers: Mapping[str, bytes], payload: bytes, table: Kinds = _KINDS) -> Envelope[Body]:
    """The event, its body lifted to the newest version known here; `version` tells the one it was lifted to."""
    texts = _attributes(headers)
    head = _head(texts)
    classes = table.get(head.type)
    if classes is None:
        raise UnknownType(f"unknown type {head.type}", head)
    if head.version > len(classes):
        raise NewerVersion(f"{head.type} v{head.version}: this code knows v{len(classes)}", head)
    try:
        body: Body = classes[head.version - 1].model_validate_json(payload)
        for _ in range(head.version, len(classes)):
            body = body.upcast()
        at = datetime.fromisoformat(_text(texts, "ce_time"))
        cause = texts.get("ce_causationid")
        causation_id = None if cause is None else UUID(cause)
    except ValidationError as exc:
        refusal = NewerVersion if _only_new_words(exc) else UnreadableMessage
        raise refusal(_first_error(head, exc), head) from exc
    except ValueError as exc:
        raise UnreadableMessage(f"attributes of {head.type}: {exc}", head) from exc
    if at.tzinfo is None:
        raise UnreadableMessage(f"ce_time of {head.type}: no offset", head)
    return Envelope(
        id=head.id,
        type=head.type,
        version=len(classes),
        source=head.source,
        time=at,
        subject=head.subject,
        sequence=head.sequence,
        data=body,
        causation_id=causation_id,
        correlation_id=texts.get("ce_correlationid"),
        traceparent=texts.get("ce_traceparent"),
    )


def _attributes(headers: Mapping[str, bytes]) -> dict[str, str]:
    """The headers that mean something to us, as text. This and what follows runs for every event there is."""
    texts: dict[str, str] = {}
    for name, raw in headers.items():
        if name in _ATTRIBUTES:
            try:
                texts[name] = raw.decode()
            except UnicodeDecodeError as exc:
                raise UnreadableMessage(f"{name}: not UTF-8") from exc
    return texts


def _text(texts: Mapping[str, str], name: str) -> str:
    try:
        return texts[name]
    except KeyError:
        raise UnreadableMessage(f"{name}: missing") from None


@lru_cache(maxsize=1024)
def _version(kind: str, urn: str) -> int:
    prefix = f"{_URN}{kind}:v"
    if not urn.startswith(prefix):
        raise ValueError(f"ce_dataschema {urn!r} is not {prefix}<n>")
    return _positive(urn[len(prefix) :])


@lru_cache(maxsize=1024)
def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 19 and int(text) > 0):
        raise ValueError(f"{text!r} is not a number from 1")
    return int(text)


def _first_error(head: Head, exc: ValidationError) -> str:
    """Where the shape breaks, without the value: it may hold what a log must not."""
    error = exc.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in error["loc"]) or "body"
    return f"{head.type} v{head.version}: {where}: {error['msg']}"


def _only_new_words(exc: ValidationError) -> bool:
    """Whether the shape is right and only members of our word lists are unknown: a newer producer speaks."""
    return all(error["type"] in ("enum", "literal_error") and isinstance(error["input"], str) for error in exc.errors())
