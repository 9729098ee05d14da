"""What a person at the terminal and a phone are told, and what the parts get to know."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from services.chassis.engines import EngineFailed
from services.chassis.lan import plan as module
from services.chassis.lan.plan import LanPlan
from services.chassis.settings import DispatchHttpSettings, IntakeHttpSettings


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LanPlan:
    monkeypatch.setattr(module, "lan_addresses", lambda: [IPv4Address("192.168.1.20"), IPv4Address("10.0.0.3")])
    return LanPlan.make(tmp_path, Noon(), 0)


def test_every_service_gets_a_port_of_its_own_and_the_papers(plan: LanPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in plan.environment.items():
        monkeypatch.setenv(name, value)
    intake, dispatch = IntakeHttpSettings(), DispatchHttpSettings()
    assert (intake.https_port, dispatch.https_port) == (8441, 8442)
    assert intake.https_certificate == plan.papers.certificate
    assert intake.https_key == plan.papers.key
    assert intake.host == "127.0.0.1", "plain HTTP stays on loopback"


def test_nothing_listens_with_tls_unless_asked() -> None:
    assert IntakeHttpSettings().https_port == 0


def test_the_terminal_warns_and_shows_addresses_fingerprint_and_code(plan: LanPlan) -> None:
    text = "\n".join(plan.lines())
    assert "everybody in this network" in text
    for shown in ("http://192.168.1.20:8440/", "https://192.168.1.20:8441/m/", "https://192.168.1.20:8442/desk/"):
        assert shown in text
    assert plan.papers.fingerprint in text
    assert "█" in text


def test_the_door_hands_out_the_authority_and_never_a_key(plan: LanPlan) -> None:
    head, _, body = plan.door.answer("GET /grid-ca.crt HTTP/1.1").partition(b"\r\n\r\n")
    assert b"application/x-x509-ca-cert" in head
    assert body == plan.papers.authority.read_bytes()
    for path in ("/", "/grid-ca.key", "/../server.key", "//etc/passwd"):
        assert b"PRIVATE KEY" not in plan.door.answer(f"GET {path} HTTP/1.1")


def test_the_page_tells_the_steps_in_both_languages(plan: LanPlan) -> None:
    page = plan.door.page()
    assert 'lang="zh-CN"' in page
    assert 'lang="en-US"' in page
    assert page.count(plan.papers.fingerprint) == 2
    assert page.count("https://192.168.1.20:8441/m/") == 4
    assert "<script" not in page


@pytest.mark.parametrize("line", ["", "POST / HTTP/1.1", "nonsense"])
def test_what_is_no_get_is_refused(plan: LanPlan, line: str) -> None:
    assert plan.door.answer(line).startswith(b"HTTP/1.1 405")


def test_a_machine_without_a_network_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "lan_addresses", list)
    with pytest.raises(EngineFailed, match="no address"):
        LanPlan.make(tmp_path, Noon(), 0)
