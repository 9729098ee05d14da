"""The `grid` command: help everywhere, exit codes, what goes on to a service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.chassis.grid import command, owned
from services.chassis.grid.up import one_of_each_post
from services.chassis.supervisor.lock import HomeLock
from services.chassis.supervisor.status import PartStatus, Status, write_status

COMMANDS = ["up", "stop", "status", "doctor", "migrate", "accounts"]
GROUPS = {"topics": ["apply", "check"], "token": ["create"], "rulebook": ["check", "explain"], "audit": ["verify"]}
OWNED = {"import": "intake", "feed": "dispatch", "count": "dispatch", "calendar": "dispatch"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRID_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize(
    "words", [[], *([name] for name in COMMANDS), *([group, verb] for group, verbs in GROUPS.items() for verb in verbs)]
)
def test_help_everywhere(words: list[str]) -> None:
    answer = CliRunner().invoke(command.app, [*words, "--help"])
    assert answer.exit_code == 0
    assert "Usage" in answer.output


@pytest.mark.parametrize("name", OWNED)
def test_what_a_service_owns_goes_on_to_it_with_every_word(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def note(service: str, words: tuple[str, ...]) -> int:
        asked.append((service, words))
        return 4

    monkeypatch.setattr(owned, "run_owned", note)
    answer = CliRunner().invoke(command.app, [name, "--help", "a file", "--clock", "now"])
    assert answer.exit_code == 4
    assert asked == [(OWNED[name], (name, "--help", "a file", "--clock", "now"))]


def test_status_and_stop_say_that_nothing_runs(home: Path) -> None:
    for name in ("status", "stop"):
        answer = CliRunner().invoke(command.app, [name])
        assert answer.exit_code == command.BUSY
        assert str(home) in answer.output


def test_status_shows_what_runs_and_whether_it_is_ready(home: Path) -> None:
    status = Status(supervisor=os.getpid(), parts={"intake": PartStatus("ready", 12, url="http://127.0.0.1:1")})
    with HomeLock(home):
        for ready, code in ((False, 1), (True, 0)):
            status.ready = ready
            write_status(home, status)
            answer = CliRunner().invoke(command.app, ["status"])
            assert answer.exit_code == code
            assert "intake" in answer.output
            assert "http://127.0.0.1:1" in answer.output


def test_a_status_left_by_a_killed_supervisor_is_not_believed(home: Path) -> None:
    write_status(home, Status(supervisor=1, ready=True))
    assert CliRunner().invoke(command.app, ["status"]).exit_code == command.BUSY


def test_wrong_words_are_exit_code_2(home: Path) -> None:
    for words in (["nonsense"], ["topics", "nonsense"], ["token", "create"], ["rulebook", "check", str(home / "none")]):
        assert CliRunner().invoke(command.app, words).exit_code == 2


def test_the_greeting_names_one_account_of_each_role() -> None:
    def account(login: str, role: str, sample: bool = True) -> dict[str, object]:
        posts = [{"role": role, "label": f"post {role}"}]
        return {
            "login": login, "name": login, "password": "p", "sample": sample, "disabled": False, "posts": posts
        }  # fmt: skip

    lines = one_of_each_post([account("a1", "GW"), account("a2", "GW"), account("b", "GS"), account("c", "AD", False)])
    assert [line.split()[0] for line in lines] == ["a1", "b"]
