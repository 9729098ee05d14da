"""Logs carry no phone or identity card numbers; metrics belong to one process."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
import structlog

from services.chassis.telemetry import (
    Metrics,
    bind_request,
    configure_logging,
    log_access,
    logger,
    redact,
    unbind_request,
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13812345678找王某", "电话138****5678找王某"),
        ("44180219900101123X", "441802************"),
        ("id 441802199001011234.", "id 441802************."),
        ("01a2031c-3f4c-73fe-886a-63c74798e0f0", "01a2031c-3f4c-73fe-886a-63c74798e0f0"),
        ("case 4418020010011234567", "case 4418020010011234567"),
        ("cell 441802001001001", "cell 441802001001001"),
        ("1772787600000 ms", "1772787600000 ms"),
    ],
)
def test_personal_numbers_are_masked_and_codes_are_not(text: str, masked: str) -> None:
    assert redact(text) == masked


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Where the log lines of this test go."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("logging.raiseExceptions", False)
    configure_logging("test")
    yield stream
    logging.config.dictConfig({"version": 1, "root": {"handlers": []}})
    structlog.reset_defaults()


def test_a_line_is_json_with_request_id_and_without_secrets(lines: io.StringIO) -> None:
    bind_request("req-12345678")
    try:
        try:
            raise ValueError("call 13812345678")
        except ValueError:
            logger("t1").exception("failed", password="x", nested={"token": "y", "phone": "13812345678"})
    finally:
        unbind_request()
    logging.getLogger("library").warning("called %s", "13812345678")
    ours, theirs = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (ours["event"], ours["request_id"], ours["service"], ours["level"]) == (
        "failed",
        "req-12345678",
        "test",
        "error",
    )
    assert ours["password"] == "***"
    assert ours["nested"] == {"token": "***", "phone": "138****5678"}
    assert "13812345678" not in lines.getvalue()
    assert (theirs["event"], theirs["logger"]) == ("called 138****5678", "library")
    assert "request_id" not in theirs


def test_a_request_is_one_line_and_a_log_that_is_gone_fails_none(lines: io.StringIO) -> None:
    log_access("test", "req-1", "GET", "/api/v1/people/13812345678", 200, 0.0123)
    (line,) = lines.getvalue().splitlines()
    told = json.loads(line)
    assert datetime.fromisoformat(told.pop("timestamp")).tzinfo is not None
    assert told == {
        "event": "request",
        "level": "info",
        "logger": "access",
        "service": "test",
        "request_id": "req-1",
        "method": "GET",
        "path": "/api/v1/people/138****5678",
        "status": 200,
        "ms": 12.3,
    }
    lines.close()
    log_access("test", "req-2", "GET", "/", 200, 0.0)


def test_each_process_counts_for_itself() -> None:
    one, two = Metrics("one"), Metrics("two")
    one.counter("grid_things_total", "Things", ["kind"]).labels("a").inc()
    one.counter("grid_things_total", "Things", ["kind"]).labels("a").inc()
    assert one.registry.get_sample_value("grid_things_total", {"kind": "a"}) == 2
    assert two.registry.get_sample_value("grid_things_total", {"kind": "a"}) is None
