"""What the supervisor reads from its environment, and what it hands to parts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.chassis.engines.footing import keep_secret
from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.settings import CHECKOUT, BadSetting, SupervisorSettings, cache_folder
from services.chassis.supervisor.table import own_commands, parts_of


def read(home: Path, **env: str) -> SupervisorSettings:
    return SupervisorSettings.read({"GRID_HOME": str(home), "GRID_CACHE": str(home / "cache"), **env})


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = SupervisorSettings.read({})
    assert settings.home == CHECKOUT / ".grid"
    ports = settings.ports
    assert (ports.intake, ports.dispatch, ports.escalation, ports.kafka) == (8001, 8002, 8003, 19092)


@pytest.mark.parametrize("value", ["0", "70000", "http", "-1"])
def test_a_port_nobody_can_use_is_refused_by_name(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadSetting, match="GRID_DISPATCH_PORT"):
        read(tmp_path, GRID_DISPATCH_PORT=value)


def test_downloads_are_shared_unless_told_otherwise(tmp_path: Path) -> None:
    assert cache_folder({"HOME": "/home/x"}) == Path("/home/x/.cache/grid-governance")
    assert cache_folder({"HOME": "/home/x", "GRID_CACHE": str(tmp_path)}) == tmp_path


def test_every_part_gets_its_own_role(tmp_path: Path) -> None:
    around = Surroundings(read(tmp_path))
    urls = {part.name: part.launch().env.get("DATABASE_URL", "") for part in parts_of(around) if not part.engine}
    roles = {command.name: command.role for command in own_commands()} | {
        "history": "intake",
        "history-file": "dispatch",
        "first-reports": "dispatch",
    }
    for name, url in urls.items():
        assert url.startswith(f"postgresql://grid_{roles[name]}:"), name
    assert len(set(urls.values())) == 4


def test_with_addresses_given_no_engine_is_started(tmp_path: Path) -> None:
    around = Surroundings(read(tmp_path, DATABASE_URL="postgresql://u@db/x", KAFKA_URL="kafka://k:9092"))
    parts = {part.name: part for part in parts_of(around)}
    assert not any(part.engine for part in parts.values())
    assert all(need in parts for part in parts.values() for need in part.needs)
    env = parts["intake"].launch().env
    assert (env["DATABASE_URL"], env["KAFKA_URL"]) == ("postgresql://u@db/x", "kafka://k:9092")


ROLE_LOGINS = {
    f"GRID_{role.upper()}_DATABASE_URL": f"postgresql://grid_{role}:pw-{role}@db:5433/grid"
    for role in ("owner", "intake", "dispatch", "escalation")
}


def test_in_an_own_database_every_part_has_the_login_of_its_role_and_knows_no_other(tmp_path: Path) -> None:
    around = Surroundings(read(tmp_path, KAFKA_URL="kafka://k", **ROLE_LOGINS))
    assert around.postgres is None
    environments = {part.name: part.launch().env for part in parts_of(around)}
    for command in own_commands():
        env = environments[command.name]
        assert env["DATABASE_URL"] == ROLE_LOGINS[f"GRID_{command.role.upper()}_DATABASE_URL"], command.name
        others = {word for word in ("owner", "intake", "dispatch", "escalation") if word != command.role}
        assert not [value for value in env.values() for other in others if f"pw-{other}" in value], command.name


def test_a_role_without_a_login_of_its_own_takes_the_common_one(tmp_path: Path) -> None:
    one = {"GRID_OWNER_DATABASE_URL": ROLE_LOGINS["GRID_OWNER_DATABASE_URL"]}
    settings = read(tmp_path, DATABASE_URL="postgresql://all@db/grid", **one)
    assert settings.url_for("owner") == one["GRID_OWNER_DATABASE_URL"]
    assert settings.url_for("intake") == "postgresql://all@db/grid"
    with pytest.raises(BadSetting, match="GRID_DISPATCH_DATABASE_URL"):
        read(tmp_path, **one)


def test_around_a_pooler_a_role_keeps_its_login(tmp_path: Path) -> None:
    direct = {"DATABASE_DIRECT_URL": "postgresql://all:x@real:5432/grid"}
    settings = read(tmp_path, **direct, **ROLE_LOGINS)
    assert settings.direct_url_for("intake") == "postgresql://grid_intake:pw-intake@real:5432/grid"
    assert (
        read(tmp_path, **direct, DATABASE_URL="postgresql://pool/grid").direct_url_for("intake")
        == direct["DATABASE_DIRECT_URL"]
    )


def test_secrets_are_made_once_and_shared_by_all_parts(tmp_path: Path) -> None:
    first = Surroundings(read(tmp_path)).environment("intake")
    second = Surroundings(read(tmp_path)).environment("dispatch")
    assert first["GRID_SERVICE_TOKEN"] == second["GRID_SERVICE_TOKEN"]
    assert len(first["GRID_SERVICE_TOKEN"]) >= 32
    assert (tmp_path / "secrets" / "service.token").stat().st_mode & 0o077 == 0


def test_a_worker_with_peers_comes_back_after_the_dead_members_session() -> None:
    for command in own_commands(dispatch_workers=2):
        if command.arguments == ("worker",):
            assert (command.crash_pause > 10) is (command.role == "dispatch")


def test_names_are_unique_and_needs_are_known() -> None:
    commands = own_commands(3)
    names = [command.name for command in commands]
    assert len(set(names)) == len(names)
    assert {need for command in commands for need in command.needs} <= {*names, "postgres", "kafka"}


def test_a_secret_made_by_many_at_once_is_one(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "x"
    numbers = iter(range(1000))
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: keep_secret(file, lambda: f"secret {next(numbers)}"), range(64)))
    assert len(answers) == 1
    assert [path.name for path in file.parent.iterdir()] == ["x"]


def test_the_samples_past_is_made_and_imported_once(tmp_path: Path) -> None:
    around = Surroundings(read(tmp_path))
    parts = {part.name: part for part in parts_of(around)}
    assert "history-file" in parts["history"].needs
    assert not parts["history"].awaited
    written, imported = parts["history-file"].settle, parts["history"].settle
    assert written is not None
    assert imported is not None
    Path(parts["history-file"].launch().argv[-1]).write_text("rows")
    written()
    parts = {part.name: part for part in parts_of(around)}
    assert "history-file" not in parts
    assert Path(parts["history"].launch().argv[4]).read_text() == "rows"
    imported()
    assert not {"history", "history-file"} & {part.name for part in parts_of(around)}


def test_without_the_sample_there_is_none_of_it(tmp_path: Path) -> None:
    names = {part.name for part in parts_of(Surroundings(read(tmp_path)), sample=False)}
    assert not {"sample", "history", "history-file"} & names
