"""deploy/ runs the same parts as the supervisor, with the same commands. (Nothing of it is started here.)"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.chassis.engines.jars import read_lock
from services.chassis.grants import OWNER, SERVICE_ROLES
from services.chassis.supervisor.table import SERVICES, Command, own_commands

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
PARTS = {command.name: command for command in own_commands(sample=False)}
LONG_RUNNING = [command for command in PARTS.values() if not command.once]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def arguments(command: Command) -> tuple[str, ...]:
    """What a deployment runs: migrations in two phases, where `grid up` runs both at once."""
    return (*command.words, "--phase", "pre") if command.name == "migrate" else command.words


@pytest.mark.parametrize("name", PARTS)
def test_compose_runs_every_part_with_its_command_and_role(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert tuple(service["command"]) == ("python", "-m", *arguments(PARTS[name]))
    assert f"grid_{PARTS[name].role}" in service["environment"]["DATABASE_URL"]


def test_compose_runs_nothing_else_of_ours(compose: dict[str, Any]) -> None:
    ours = {name for name, service in compose["services"].items() if "grid-governance" in service["image"]}
    assert ours == set(PARTS)


def test_compose_gives_every_part_25_seconds_to_stop(compose: dict[str, Any]) -> None:
    assert {compose["services"][name]["stop_grace_period"] for name in PARTS} == {"25s"}


def test_in_compose_a_frozen_part_is_ended_by_the_age_of_its_heartbeat(compose: dict[str, Any]) -> None:
    for command in PARTS.values():
        service = compose["services"][command.name]
        if command.once:
            assert service["healthcheck"] == {"disable": True}
            continue
        beat = service["environment"]["GRID_BEAT_FILE"]
        assert beat.startswith(service["tmpfs"][0]), "an earlier life's heartbeat must not be there at the start"
        check = service["healthcheck"]["test"][1]
        assert check.count(beat) == 2
        assert service["restart"] == "always"


@pytest.mark.parametrize(("age_s", "killed"), [(None, False), (5, False), (300, True)])
def test_the_health_check_kills_only_what_was_heard_once_and_then_no_more(
    compose: dict[str, Any], tmp_path: Path, age_s: int | None, killed: bool
) -> None:
    service = compose["services"]["dispatch-worker-1"]
    beat = tmp_path / "beat"
    if age_s is not None:
        beat.touch()
        os.utime(beat, (beat.stat().st_mtime - age_s,) * 2)
    check = service["healthcheck"]["test"][1].replace(service["environment"]["GRID_BEAT_FILE"], str(beat))
    shell = check.replace("kill -9 -1", "echo killed")
    assert (subprocess.run(["sh", "-c", shell], capture_output=True, text=True).stdout == "killed\n") is killed


def test_compose_has_no_password_of_its_own() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    for found in re.findall(r"(?:PASSWORD|TOKEN): (.*)", text):
        assert found.startswith("${"), found
        assert ":?" in found, f"{found} must not have a default"


def test_what_compose_depends_on_exists(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for need in service.get("depends_on", ()):
            assert need in services


def test_the_database_container_runs_the_administrators_file(compose: dict[str, Any]) -> None:
    mounts = dict(volume.split(":")[:2] for volume in compose["services"]["postgres"]["volumes"])
    script = (DEPLOY / "postgres" / "roles.sh").read_text()
    (file,) = re.findall(r"-f (\S+)", script)
    assert mounts["./postgres/administrator.sql"] == file
    wanted = set(re.findall(r"PASSWORD :'(\w+)'", (DEPLOY / "postgres" / "administrator.sql").read_text())) - {"shared"}
    given = dict(re.findall(r'-v (\w+)="\$(\w+)"', script))
    assert given.keys() == wanted | {"database"}
    assert set(given.values()) <= compose["services"]["postgres"]["environment"].keys() | {"POSTGRES_DB"}


def test_the_administrators_file_makes_the_roles_that_grants_are_given_to() -> None:
    text = (DEPLOY / "postgres" / "administrator.sql").read_text()
    made = set(re.findall(r"^  ALTER ROLE (\w+) LOGIN", text, re.M))
    assert made == {OWNER, *SERVICE_ROLES.values(), "grid"}
    assert "SUPERUSER" not in text


def test_nginx_leads_every_path_to_the_service_that_answers_it() -> None:
    conf = (DEPLOY / "nginx" / "grid.conf").read_text()
    table = [(re.compile(path), name) for path, name in re.findall(r'^    "~(\^\S+)"\s+(\w+);', conf, re.M)]
    reference = (DEPLOY.parent / "docs" / "reference" / "http.md").read_text()
    led: dict[str, set[str]] = {}
    for heading, below in re.findall(r"^## (\w+) :\d+\n(.*?)(?=^## |\Z)", reference, re.M | re.S):
        for path in re.findall(r"^\| `[A-Z]+ (\S+)` \|", below, re.M):
            found = next((name for pattern, name in table if pattern.match(path)), "nobody")
            if found != heading.lower():
                led.setdefault(f"{heading}: {found}", set()).add(path)
    assert led == {}
    assert len(re.findall(r"^## \w+ :\d+$", reference, re.M)) == 3


def unit(file: Path) -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read(file)
    return parsed


@pytest.mark.parametrize("command", LONG_RUNNING, ids=lambda command: command.name)
def test_systemd_runs_every_part(command: Command) -> None:
    verb = command.arguments[0]
    names = {
        "serve": f"grid-serve@{command.role}",
        "relay": f"grid-relay@{command.role}",
        "worker": f"grid-worker{'-2' if command.name.endswith('-2') else ''}@{command.role}",
    }
    name = names.get(verb, f"grid-{verb}")
    file = DEPLOY / "systemd" / f"{re.sub('@.*', '@', name)}.service"
    service = unit(file)["Service"]
    ran = service["ExecStart"].replace("%i", command.role).split()
    assert tuple(ran[1:]) == ("-m", *arguments(command))
    assert service["Restart"] == "always"
    assert unit(file)["Unit"]["StartLimitIntervalSec"] == "0", "after a long outage systemd would have given up"
    assert service["TimeoutStopSec"] == "25"
    assert 0 < int(service["WatchdogSec"]) <= 60
    assert service["NotifyAccess"] == "main"
    assert f"{name}.service" in (DEPLOY / "systemd" / "grid.target").read_text()


@pytest.mark.parametrize("name", ["migrate", "topics"])
def test_systemd_prepares_before_the_rest(name: str) -> None:
    parsed = unit(DEPLOY / "systemd" / f"grid-{name}.service")
    assert tuple(parsed["Service"]["ExecStart"].split()[1:]) == ("-m", *arguments(PARTS[name]))
    assert parsed["Service"]["Type"] == "oneshot"
    for file in (DEPLOY / "systemd").glob("*@.service"):
        assert f"grid-{name}.service" in unit(file)["Unit"]["Requires"]


def proxy_rules() -> list[tuple[re.Pattern[str], str]]:
    text = (DEPLOY / "nginx" / "grid.conf").read_text()
    return [(re.compile(rule), owner) for rule, owner in re.findall(r'"~(\^[^"]+)"\s+(\w+);', text)]


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/m/", "intake"),
        ("/t/abc", "intake"),
        ("/open311/v2/requests.json", "intake"),
        ("/api/v1/reports", "intake"),
        ("/api/v1/reports/1/photos/2", "intake"),
        ("/api/v1/media/1/2", "intake"),
        ("/console/", "dispatch"),
        ("/desk/assets/x.js", "dispatch"),
        ("/api/v1/session", "dispatch"),
        ("/api/v1/queues/intake", "dispatch"),
        ("/api/v1/cases/FC1/actions/answer", "dispatch"),
        ("/api/v1/intake/reports", "dispatch"),
        ("/api/v1/escalation/webhooks", "dispatch"),
        ("/api/v1/webhooks", "escalation"),
        ("/api/v1/deliveries/1/replay", "escalation"),
        ("/api/v1/platform/events", "escalation"),
        ("/metrics", None),
        ("/api/v1/formula", None),
    ],
)
def test_the_proxy_gives_each_path_to_its_owner(path: str, owner: str | None) -> None:
    owners = [name for rule, name in proxy_rules() if rule.search(path)]
    assert (owners[0] if owners else None) == owner


def test_the_proxy_knows_every_service() -> None:
    text = (DEPLOY / "nginx" / "grid.conf").read_text()
    assert set(re.findall(r"^upstream (\w+)", text, re.M)) == set(SERVICES)
    assert {name for _, name in proxy_rules()} == set(SERVICES)


def test_every_jar_is_locked_to_a_version_and_a_checksum() -> None:
    jars = read_lock()
    assert {"kafka_2.13", "slf4j-simple"} <= {jar.artifact for jar in jars}
    for jar in jars:
        assert re.fullmatch(r"\d[\w.\-]*", jar.version), jar
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256), jar
    assert len({(jar.group, jar.artifact) for jar in jars}) == len(jars)


def test_the_image_names_only_files_that_exist() -> None:
    for line in (DEPLOY / "Dockerfile").read_text().splitlines():
        words = line.split()
        if words[:1] == ["COPY"] and "--from" not in line:
            for source in words[1:-1]:
                assert (DEPLOY.parent / source).exists(), source
