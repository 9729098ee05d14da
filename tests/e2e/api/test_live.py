"""The live feed: what changes while somebody looks, without a gap from a cursor on, and nothing of foreign cases."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.town import Person, Town, until


@dataclass
class Ear:
    """A subscription that listens in a thread of its own."""

    heard: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def of(self, case_no: str) -> list[dict[str, Any]]:
        return [data for name, _, data in list(self.heard) if name == "case.changed" and data["case_no"] == case_no]

    def names(self) -> set[str]:
        return {name for name, _, _ in list(self.heard)}

    def last_id(self) -> str:
        return next(cursor for _, cursor, _ in reversed(list(self.heard)) if cursor)


@contextmanager
def listening(person: Person, cursor: str | None = None, *, by_header: bool = False) -> Iterator[Ear]:
    """Hears until the block ends."""
    ear, client = Ear(), httpx.Client(base_url=person.dispatch.base_url, cookies=person.dispatch.cookies)
    headers = {"last-event-id": cursor} if cursor and by_header else {}
    params = {"cursor": cursor} if cursor and not by_header else {}
    opened, leave = threading.Event(), threading.Event()
    line_out: list[socket.socket] = []

    def listen() -> None:
        name, cursor_of = "", None
        with client.stream("GET", "/api/v1/events", params=params, headers=headers, timeout=60) as stream:
            stream.raise_for_status()
            line_out.append(stream.extensions["network_stream"].get_extra_info("socket"))
            opened.set()
            try:
                for line in stream.iter_lines():
                    kind, _, value = line.partition(":")
                    if kind == "event":
                        name = value.strip()
                    elif kind == "id":
                        cursor_of = value.strip()
                    elif kind == "data":
                        ear.heard.append((name, cursor_of, json.loads(value)))
                        cursor_of = None
            except httpx.TransportError:
                if not leave.is_set():
                    raise
        ear.ended.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        assert opened.wait(60), "the stream does not open"
        yield ear
    finally:
        leave.set()
        with contextlib.suppress(OSError):
            line_out[0].shutdown(socket.SHUT_RDWR)  # the thread waits for the next word and hears the end instead
        thread.join(60)
        client.close()


def test_a_console_hears_each_change_and_goes_on_where_it_left_off(town: Town) -> None:
    clerk, branch, community = town.person("shouli"), town.person("zhibu01"), town.person("shequ01")
    page = clerk.dispatch.get("/api/v1/queues").raise_for_status().json()
    with listening(clerk, page["cursor"]) as ear:
        no = town.report("wangge01", "0302")
        until("the new case is heard of", lambda: ear.of(no))
        branch.act(no, "call_up", reason="no_enforcement")
        until("the call is heard", lambda: [one for one in ear.of(no) if one["row"]["state"] == "at_community"])
        until("counts follow", lambda: "queue.counts" in ear.names())
        left_off = ear.last_id()
    # nobody listens while this happens
    community.act(no, "answer")
    community.act(no, "call_up", reason="no_enforcement", note="劝过")
    clerk.act(no, "answer")
    newest = clerk.case(no)
    for by_header in (True, False):
        with listening(clerk, left_off, by_header=by_header) as ear:
            until("what was missed", lambda ear=ear: ear.of(no) and ear.of(no)[-1]["sequence"] == newest["sequence"])
            assert "reset" not in ear.names()
            row = ear.of(no)[-1]["row"]
            assert (row["state"], row["version"]) == (newest["state"], newest["version"])
            assert "intake" in ear.of(no)[-1]["queues"]


def test_every_listener_hears_only_what_he_may_see(town: Town) -> None:
    own, foreign, unit = town.person("shequ01"), town.person("shequ02"), town.person("huanwei")
    with listening(own) as near, listening(foreign) as far, listening(unit) as hands:
        no = town.report("wangge01", "0302")
        other = town.report("wangge06", "0302")
        until("the own one", lambda: near.of(no))
        until("the other community hears of its own", lambda: far.of(other))
        assert not near.of(other)
        assert not far.of(no)
        town.person("zhibu01").act(no, "call_up", reason="no_means")
        own.act(no, "accept", co_units=["huanwei"])
        until("the unit hears when it gets a share", lambda: hands.of(no))
        assert {one["row"]["state"] for one in hands.of(no)} == {"community_handling"}
        assert not far.of(no)


def test_a_cursor_nobody_gave_out_means_start_again(town: Town) -> None:
    with listening(town.person("shouli"), "MS45OTk5OTk5OTk5OS4xLjE") as ear:
        until("told to start again", lambda: "reset" in ear.names())
    with listening(town.person("shouli"), "nonsense", by_header=True) as ear:
        until("told to start again", lambda: "reset" in ear.names())


def test_a_stream_ends_when_its_reader_has_signed_out(town: Town) -> None:
    reader = town.newcomer("shouli")
    with listening(reader) as ear:
        reader.dispatch.delete("/api/v1/session").raise_for_status()
        until("the stream ends", lambda: ear.ended.is_set())
        no = town.report("wangge01", "0302")
        assert not ear.of(no)
    assert reader.dispatch.get("/api/v1/queues").status_code == 401
