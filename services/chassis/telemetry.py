"""Logs and metrics. Logs are JSON lines on stderr, never with phone or identity card numbers in them.

What identifies a request or a case rides along by itself: bind it once, every line below carries it.
"""

from __future__ import annotations

import logging
import logging.config
import re
from collections.abc import MutableMapping, Sequence
from typing import Any, Literal, TextIO

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from services.chassis.clock import SystemClock

_PHONE = re.compile(r"(?<![0-9A-Za-z])(1[3-9]\d)\d{4}(\d{4})(?![0-9A-Za-z])")
_ID_CARD = re.compile(r"(?<![0-9A-Za-z])(\d{6})\d{11}[0-9Xx](?![0-9A-Za-z])")
_MANY_DIGITS = re.compile(r"\d{7}")
ACCESS = "access"
_SECRET_NAMES = frozenset({"password", "token", "secret", "cookie", "authorization", "api_key"})
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Event = MutableMapping[str, Any]


def redact(text: str) -> str:
    """Masks mobile numbers (138****5678) and identity card numbers (441802************)."""
    if _MANY_DIGITS.search(text) is None:
        return text
    return _ID_CARD.sub(r"\1************", _PHONE.sub(r"\1****\2", text))


def _redact_event(_: Any, __: str, event: Event) -> Event:
    for name, value in event.items():
        event[name] = "***" if name in _SECRET_NAMES else _redacted(value)
    return event


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: "***" if key in _SECRET_NAMES else _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value


def configure_logging(service: str, level: str = "INFO", form: Literal["json", "text"] = "json") -> None:
    """Once per process: structlog and the standard library's loggers write the same lines, as JSON or as text."""

    def add_service(_: Any, __: str, event: Event) -> Event:
        event.setdefault("service", service)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else _text_renderer()
    logging.config.dictConfig(_standard_logging(shared, renderer, level.upper()))


def _text_renderer() -> Any:
    """For a person at a terminal; plain tracebacks, since rich ones print local variables."""
    return structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


def _standard_logging(shared: Sequence[Any], renderer: Any, level: str) -> dict[str, Any]:
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": list(shared),
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            renderer,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "json"},
            "access": {"()": ReadyLines},
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            ACCESS: {"handlers": ["access"], "propagate": False},
            "uvicorn": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "aiokafka": {"level": "WARNING"},
        },
    }


def logger(name: str) -> Any:
    """A logger whose methods take an event name and keyword fields."""
    return structlog.stdlib.get_logger(name)


class ReadyLines(logging.StreamHandler[TextIO]):
    """Writes lines as they are: a record of each, and its formatting, cost more than the line."""

    def line(self, text: str) -> None:
        """One line, without its end."""
        self.acquire()
        try:
            self.stream.write(text + self.terminator)
            self.flush()
        except Exception:  # noqa: BLE001 - as with every handler: a log that cannot be written fails no request
            self.handleError(logging.makeLogRecord({"name": ACCESS}))
        finally:
            self.release()


def log_access(service: str, request: str, method: str, path: str, status: int, seconds: float) -> None:
    """One line for a request that was answered. Made by hand: the general way costs more than many a request."""
    access = logging.getLogger(ACCESS)
    if access.isEnabledFor(logging.INFO):
        record = {
            "event": "request",
            "level": "info",
            "logger": ACCESS,
            "service": service,
            "timestamp": SystemClock().now(),
            "request_id": request,
            "method": method,
            "path": redact(path),
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        line = orjson.dumps(record).decode()
        for handler in access.handlers:
            if isinstance(handler, ReadyLines):
                handler.line(line)


def bind_request(request_id: str) -> None:
    """Every log line of this task carries the request id from here on."""
    structlog.contextvars.bind_contextvars(request_id=request_id)


def bind_case(case_id: str) -> None:
    """Every log line of this task carries the case id from here on."""
    structlog.contextvars.bind_contextvars(case_id=case_id)


def unbind_request() -> None:
    structlog.contextvars.unbind_contextvars("request_id", "case_id")


def request_id() -> str | None:
    """The id of the request being answered, for calls to other services."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


class Metrics:
    """The metrics of one process, in a registry of its own: nothing is shared between tests or services."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry(auto_describe=True)
        self._known: dict[str, Counter | Gauge | Histogram] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        Gauge("grid_service_info", "Which service this is", ["service"], registry=self.registry).labels(service).set(1)
        self._seconds = self.histogram("grid_http_request_seconds", "Time to answer", ["method", "route", "status"])
        self._requests: dict[tuple[str, str, int], Histogram] = {}  # labels are looked up slowly
        self.loop_lag = self.histogram("grid_event_loop_lag_seconds", "How late the event loop runs")

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        told = self._requests.get((method, route, status))
        if told is None:
            told = self._requests[method, route, status] = self._seconds.labels(method, route, str(status))
        told.observe(seconds)

    def counter(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Counter:
        """The counter of this name, made on first use."""
        made = self._known.get(name) or Counter(name, help_text, labels, registry=self.registry)
        self._known[name] = made
        assert isinstance(made, Counter)
        return made

    def gauge(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Gauge:
        """The gauge of this name, made on first use."""
        made = self._known.get(name) or Gauge(name, help_text, labels, registry=self.registry)
        self._known[name] = made
        assert isinstance(made, Gauge)
        return made

    def histogram(
        self, name: str, help_text: str, labels: Sequence[str] = (), buckets: Sequence[float] = _BUCKETS
    ) -> Histogram:
        """The histogram of this name (seconds), made on first use."""
        made = self._known.get(name) or Histogram(name, help_text, labels, registry=self.registry, buckets=buckets)
        self._known[name] = made
        assert isinstance(made, Histogram)
        return made
