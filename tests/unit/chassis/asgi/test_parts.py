"""The small pieces: If-Match, cursors, languages, fingerprints of requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.asgi import Problem, encode_cursor, etag, language, parse_if_match
from services.chassis.asgi.idempotency import fingerprint
from services.chassis.asgi.paging import decode_cursor


@pytest.mark.parametrize(("given_value", "version"), [('"12"', 12), ("12", 12), ('W/"12"', 12), (' "0" ', 0)])
def test_if_match_reads_a_version(given_value: str, version: int) -> None:
    assert parse_if_match(given_value) == version


def test_if_match_repeats_the_etag() -> None:
    assert parse_if_match(etag(7)) == 7


@pytest.mark.parametrize(("given_value", "status"), [(None, 428), ("", 428), ("*", 422), ('"x"', 422), ("-1", 422)])
def test_if_match_refuses_what_is_no_version(given_value: str | None, status: int) -> None:
    with pytest.raises(Problem) as refused:
        parse_if_match(given_value)
    assert refused.value.status == status


@given(st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53), st.text(max_size=30)), max_size=4))
def test_cursors_come_back_as_they_were(key: list[str | int | None]) -> None:
    cursor = encode_cursor(*key)
    assert decode_cursor(cursor) == tuple(key)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


@pytest.mark.parametrize("cursor", ["!", "e30", "中文", "AAAA", "eyJhIjoxfQ", "W" * 9])
def test_strange_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(cursor)
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("accept", "lang"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("en", "en-US"),
        ("en-GB,en;q=0.8", "en-US"),
        ("fr,en;q=0.5", "en-US"),
        ("zh-TW,en;q=0.9", "zh-CN"),
        ("en;q=0.3,zh;q=0.9", "zh-CN"),
        ("en;q=0", "zh-CN"),
        ("en;q=abc", "zh-CN"),
        ("*", "zh-CN"),
    ],
)
def test_the_best_language_wins(accept: str | None, lang: str) -> None:
    assert language(accept) == lang


def test_a_fingerprint_tells_requests_apart() -> None:
    one = fingerprint("POST", "/api/v1/reports", b"{}")
    assert one == fingerprint("POST", "/api/v1/reports", b"{}")
    others = [("PUT", "/api/v1/reports", b"{}"), ("POST", "/api/v1/other", b"{}"), ("POST", "/api/v1/reports", b"[]")]
    assert all(one != fingerprint(*other) for other in others)
