"""The alarms come when they should, for whom they should, and tell what to do. (promtool runs the same trials.)"""

from __future__ import annotations

import json
import re

import pytest
import yaml

from services.chassis.supervisor.scrape import targets_file
from services.chassis.supervisor.settings import Ports
from services.chassis.supervisor.table import own_commands
from tests.support.alarms import PROMETHEUS, Alarm, Trial, every_alarm, read_values, trials
from tests.support.promql import Store, Unsupported, evaluate

RUNBOOK = PROMETHEUS.parents[1] / "docs" / "how-to" / "answer-an-alarm.md"
TRIALS = [trial for file in sorted((PROMETHEUS / "tests").glob("*.yml")) for trial in trials(file)]
ALARMS = every_alarm()


@pytest.mark.parametrize("trial", TRIALS, ids=[trial.name for trial in TRIALS])
def test_it_comes_when_it_should_and_not_before(trial: Trial) -> None:
    questions = list(trial.run())
    assert any(expected for _, expected, _ in questions)
    assert any(not expected for _, expected, _ in questions)
    for asked, expected, found in questions:
        assert found == expected, asked["eval_time"]


def test_every_alarm_is_tried() -> None:
    assert sorted(trial.name for trial in TRIALS) == sorted(alarm.name for alarm in ALARMS)


@pytest.mark.parametrize("alarm", ALARMS, ids=[alarm.name for alarm in ALARMS])
def test_it_says_what_is_wrong_and_what_to_do(alarm: Alarm) -> None:
    assert alarm.labels["severity"] in ("page", "ticket")
    for part in ("summary", "description", "remedy"):
        assert len(alarm.annotations[part]) > 10, part
    page, _, anchor = alarm.annotations["runbook"].partition("#")
    assert (PROMETHEUS.parents[1] / page) == RUNBOOK
    assert anchor == alarm.name.lower()
    assert re.search(rf"^### {alarm.name}$", RUNBOOK.read_text("utf-8"), re.MULTILINE), "no such heading in the runbook"


def test_the_runbook_speaks_of_no_alarm_that_is_gone() -> None:
    told = re.findall(r"^### (Grid\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(alarm.name for alarm in ALARMS)


def test_the_runbook_and_the_remedies_name_commands_that_exist() -> None:
    reference = (PROMETHEUS.parents[1] / "docs" / "reference" / "commands.md").read_text("utf-8")
    texts = [RUNBOOK.read_text("utf-8"), *(alarm.annotations["remedy"] for alarm in ALARMS)]
    named = {word for text in texts for word in re.findall(r"\bgrid ((?:replay|topics|audit) [a-z-]+|[a-z]+)\b", text)}
    known = set(re.findall(r"^## `grid ([a-z -]+)`", reference, re.MULTILINE))
    assert {"replay missing", "replay outbox", "status", "topics check"} <= named
    assert named - known <= {"replay", "audit"}  # "grid replay" by itself


def test_a_rule_that_the_evaluator_does_not_know_is_refused() -> None:
    with pytest.raises(Unsupported):
        evaluate("topk(3, up)", Store(), 0.0)


def test_rates_and_quantiles_are_those_of_prometheus() -> None:
    """Figures of Prometheus 2.42 for the same series."""
    store = Store()
    for n, value in enumerate(read_values("0+10x8 0+10x4")):
        assert value is not None
        store.add("a_total", {}, n * 15.0, value)
    assert evaluate("increase(a_total[1m])", store, 60.0) == {frozenset(): pytest.approx(40.0)}
    assert evaluate("increase(a_total[2m])", store, 180.0) == {frozenset(): pytest.approx(70.0)}
    assert evaluate("rate(a_total[40s])", store, 100.0) == {frozenset(): pytest.approx(2 / 3)}
    for le, count in (("0.1", 50), ("0.5", 90), ("+Inf", 100)):
        store.add("b", {"le": le}, 60.0, count)
    assert evaluate("histogram_quantile(0.7, b)", store, 60.0)[frozenset()] == pytest.approx(0.3)
    assert evaluate("histogram_quantile(0.99, b)", store, 60.0)[frozenset()] == pytest.approx(0.5)


def test_the_configuration_reads_rules_and_list_from_where_they_are() -> None:
    read = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    assert list(PROMETHEUS.glob(read["rule_files"][0]))
    (job,) = read["scrape_configs"]
    (listed,) = job["file_sd_configs"][0]["files"]
    home = PROMETHEUS.parents[1] / ".grid"
    assert (PROMETHEUS / listed).resolve() == targets_file(home)
    assert job["job_name"] == "grid"
    assert job["honor_labels"] is True


def test_the_list_for_containers_names_every_part_where_compose_runs_it() -> None:
    compose = yaml.safe_load((PROMETHEUS.parent / "compose.yaml").read_text("utf-8"))["services"]
    listed = json.loads((PROMETHEUS / "targets" / "compose.json").read_text("utf-8"))
    usual = Ports()
    expected = {
        command.name: usual.of(command.role) if command.arguments == ("serve",) else 9100
        for command in own_commands(sample=False)
        if not command.once
    }
    assert {row["labels"]["part"]: row["targets"] for row in listed} == {n: [f"{n}:{p}"] for n, p in expected.items()}
    for row in listed:
        environment = compose[row["labels"]["part"]]["environment"]
        assert (environment["GRID_METRICS_HOST"], environment["GRID_METRICS_PORT"]) == ("0.0.0.0", "9100")
        assert environment["DATABASE_URL"].startswith(f"postgresql://grid_{row['labels']['service']}:")
