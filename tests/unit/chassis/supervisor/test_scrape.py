"""Every part that lives on can be scraped, and Prometheus finds it by one file."""

from __future__ import annotations

import json
from pathlib import Path

from services.chassis.supervisor.environment import Surroundings
from services.chassis.supervisor.scrape import metrics_ports, targets_file, write_targets
from services.chassis.supervisor.settings import SupervisorSettings
from services.chassis.supervisor.table import own_commands, parts_of


def surroundings(home: Path, **env: str) -> Surroundings:
    addresses = {"DATABASE_URL": "postgresql://someone@db/grid", "KAFKA_URL": "kafka://broker:9092"}
    return Surroundings(SupervisorSettings.read({"GRID_HOME": str(home), **addresses, **env}))


def test_every_part_that_lives_on_has_metrics_and_is_told_where(tmp_path: Path) -> None:
    parts = {part.name: part for part in parts_of(surroundings(tmp_path, GRID_METRICS_PORT="9300"))}
    lasting = [command for command in own_commands() if not command.once]
    assert len({parts[each.name].metrics for each in lasting}) == len(lasting)
    for each in lasting:
        part = parts[each.name]
        if each.arguments == ("serve",):
            assert part.metrics == part.port
        else:
            assert part.launch().env["GRID_METRICS_PORT"] == str(part.metrics)
            assert part.metrics is not None
            assert 9300 <= part.metrics < 9300 + len(lasting)


def test_what_runs_once_shows_none(tmp_path: Path) -> None:
    parts = {part.name: part for part in parts_of(surroundings(tmp_path))}
    assert parts["migrate"].metrics is None


def test_without_a_number_free_ports_are_taken() -> None:
    chosen = metrics_ports(["a", "b", "c"], None)
    assert len(set(chosen.values())) == 3
    assert all(port > 1023 for port in chosen.values())


def test_the_list_names_part_and_service(tmp_path: Path) -> None:
    parts = parts_of(surroundings(tmp_path, GRID_METRICS_PORT="9300"))
    write_targets(tmp_path, parts)
    found = {each["labels"]["part"]: each for each in json.loads(targets_file(tmp_path).read_text())}
    assert set(found) == {command.name for command in own_commands() if not command.once}
    assert found["dispatch-worker-2"]["labels"]["service"] == "dispatch"
    assert found["intake"]["targets"] == ["127.0.0.1:8001"]
