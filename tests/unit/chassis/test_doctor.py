"""Every finding of the doctor that is bad names its remedy."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from services.chassis import doctor
from services.chassis.doctor import Finding, Verdict
from services.chassis.supervisor.settings import Ports, SupervisorSettings


def bad(finding: Finding) -> None:
    assert finding.verdict is Verdict.BAD
    assert finding.remedy


def test_an_old_python_is_bad() -> None:
    bad(doctor.python((3, 10, 4)))
    assert doctor.python((3, 11, 0)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("arch", "libc"), [("aarch64", ("glibc", "2.36")), ("x86_64", ("", "")), ("x86_64", ("glibc", "2.17"))]
)
def test_a_machine_the_wheels_are_not_for_is_bad(arch: str, libc: tuple[str, str]) -> None:
    bad(doctor.machine(arch, libc))
    assert doctor.machine("x86_64", ("glibc", "2.36")).verdict is Verdict.OK


def test_little_memory_is_bad(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:        2000000 kB\nMemFree: 1 kB\n")
    bad(doctor.memory(file))
    file.write_text("MemTotal:        4000000 kB\nMemFree: 1 kB\n")
    assert doctor.memory(file).verdict is Verdict.OK


def test_little_disk_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_DISK_GB", 1 << 40)
    bad(doctor.disk(tmp_path / "not" / "there"))


def test_a_home_that_is_a_file_is_bad(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bad(doctor.home(tmp_path / "file" / "home"))


def test_a_taken_port_is_named_with_its_variable(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        settings = SupervisorSettings(tmp_path, tmp_path, Ports(dispatch=other.getsockname()[1]), kafka_url="kafka://x")
        findings = [finding for finding in doctor.ports(settings) if finding.verdict is Verdict.BAD]
    assert any("GRID_DISPATCH_PORT" in finding.remedy for finding in findings)


def test_a_missing_browser_is_a_hint_with_the_line_that_adds_it() -> None:
    finding = doctor.browser(lambda _: None)
    assert finding.verdict is Verdict.HINT
    assert "apt-get install" in finding.remedy
