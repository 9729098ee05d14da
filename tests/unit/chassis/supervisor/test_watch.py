"""What the supervisor is told about its patience, what it makes of heartbeats, and what it shows of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from services.chassis.grid.running import _table
from services.chassis.supervisor.ending import Ending
from services.chassis.supervisor.exposition import exposition
from services.chassis.supervisor.journal import Journal
from services.chassis.supervisor.scrape import port_behind
from services.chassis.supervisor.settings import BadSetting
from services.chassis.supervisor.status import PartStatus, Status
from services.chassis.supervisor.table import parts_of
from services.chassis.supervisor.watch import Patience, Watch
from services.chassis.watchdog.beat import Beat
from services.chassis.watchdog.rules import Rule, Verdict
from tests.unit.chassis.supervisor.test_scrape import surroundings


def test_patience_is_read_from_the_environment() -> None:
    patience = Patience.read({"GRID_WATCHDOG_SILENT_S": "45", "GRID_MEMORY_LIMITS": "dispatch=900, intake=400"})
    assert patience.silent_s == 45
    assert patience.environment("dispatch") == {"GRID_MEMORY_LIMIT_MB": "900"}
    assert patience.environment("escalation") == {}
    assert Patience.read({}) == Patience()
    assert not Patience.read({"GRID_WATCHDOG": "0"}).on


@pytest.mark.parametrize(
    "env", [{"GRID_WATCHDOG_SILENT_S": "soon"}, {"GRID_WATCHDOG_SILENT_S": "1"}, {"GRID_MEMORY_LIMITS": "dispatch"}]
)
def test_what_nobody_can_use_is_refused_by_name(env: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match=next(iter(env))):
        Patience.read(env)


def looks(watch: Watch, seconds: int, since: float = 0.0) -> list[Verdict]:
    return [verdict for second in range(seconds) if (verdict := watch.look(since + second))]


def test_silence_is_told_once_per_life_and_a_new_life_may_speak_again() -> None:
    watch = Watch(Patience(silent_s=20), lambda: None)
    watch.born(7)
    watch.hear(Beat(100))
    assert [verdict.rule for verdict in looks(watch, 100)] == [Rule.SILENT]
    watch.born(8)
    assert watch.verdict is None
    assert watch.beat is None
    assert looks(watch, 100, since=100) == []


def test_switched_off_it_ends_nobody_but_still_listens() -> None:
    watch = Watch(Patience(on=False), lambda: None)
    watch.born(7)
    watch.hear(Beat(100))
    assert looks(watch, 1000) == []
    assert watch.age_s is not None


def test_a_last_word_that_arrives_after_the_end_is_heard() -> None:
    said = Verdict(Rule.STUCK, "the event loop has not turned for 31 s")
    watch = Watch(Patience(), lambda: watch.hear(Beat(100, verdict=said)) and None)
    watch.born(7)
    assert watch.last_verdict() == said


def test_only_what_others_wait_for_is_news() -> None:
    watch = Watch(Patience(), lambda: None)
    told = [Beat(100), Beat(140), Beat(140, serving=False), Beat(150, serving=False, waits_for="the database")]
    assert [watch.hear(beat) for beat in told] == [True, False, True, True]


@pytest.mark.parametrize(
    ("ending", "pause"),
    [
        (Ending.of_code(0), False),
        (Ending.of_code(-9), True),
        (Ending.of_code(70), True),
        (Ending("stalled", "", 76), True),
        (Ending("stuck", "", 76), False),
        (Ending("silent", "", -9), False),
        (Ending("memory", "", 0), False),
    ],
)
def test_others_wait_for_a_dead_member_only_if_it_was_alive_a_moment_ago(ending: Ending, pause: bool) -> None:
    assert ending.needs_pause is pause


PARTS = {
    "dispatch": PartStatus(state="ready", pid=5, rss_mb=190, beat_age_s=1.2, serving=True, url="http://127.0.0.1:8002"),
    "intake-worker": PartStatus(
        state="ready", pid=6, restarts=2, reason="stuck", told="watchdog: …", ended_at="2026-11-22T10:00:00+00:00",
        rss_mb=170, beat_age_s=0.4, waits_for="the database",
    ),
    "postgres": PartStatus(state="pausing"),
}  # fmt: skip


def test_the_table_tells_memory_heartbeat_wait_and_last_end() -> None:
    lines = {line.split()[0]: line for line in _table(Status(1, parts=PARTS)).splitlines()}
    assert lines["dispatch"].split()[1:6] == ["ready", "5", "190", "1", "s"]
    assert "waits for the database · 2026-11-22T10:00:00+00:00 watchdog: …" in lines["intake-worker"]
    assert lines["postgres"].split() == ["postgres", "pausing", "0"]


def test_metrics_are_in_the_form_prometheus_reads() -> None:
    text = exposition(PARTS, Counter({("intake-worker", "stuck"): 2}))
    assert 'grid_part_restarts_total{part="intake-worker",reason="stuck"} 2' in text
    assert 'grid_part_up{part="dispatch"} 1' in text
    assert 'grid_part_up{part="postgres"} 0' in text
    assert 'grid_part_resident_megabytes{part="postgres"}' not in text
    assert text.endswith("\n")


def test_the_supervisor_has_a_port_of_its_own(tmp_path: Path) -> None:
    parts = parts_of(surroundings(tmp_path, GRID_METRICS_PORT="9300"))
    assert port_behind(parts, 9300) not in {part.metrics for part in parts}


def test_a_journal_that_cannot_be_written_costs_only_the_line(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("not a folder")
    Journal(tmp_path).write("part_ended", "error", part="a")
