"""Whatever happened to a case: lived again under its own rulebook it is the same case, and under another one nothing
breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from services.dispatch.whatif.compare import compare
from services.dispatch.whatif.model import Verdict
from services.dispatch.whatif.record import Stored, record_of
from services.dispatch.whatif.replay import relive
from services.governance.acts import ActorRef, Around, Command
from services.governance.case import evolve
from services.governance.cycle import MachineRule, Role
from services.governance.rulebook import Rulebook
from services.governance.worktime import parse_limit
from tests.property.governance.test_walks import AnyWalk, jointly
from tests.support.governance import (
    BOOK,
    CATALOGUE,
    CONDITIONS,
    PLAIN,
    Walk,
    categories,
    rulebook,
    to_dispatched,
    to_fed_back,
    to_filed,
    to_handling,
)
from tests.support.recording import RecordedWalk, answered

AROUND = Around(verifier=ActorRef("wangge07", Role.GRID_WORKER))
OTHERS: tuple[Rulebook, ...] = (
    rulebook(version="tight", conditions={c.id: replace(c, limit=parse_limit("30um")) for c in CONDITIONS}),
    rulebook(version="elsewhere", catalogue=tuple(replace(line, lead="zhifa", co_units=()) for line in CATALOGUE)),
    rulebook(version="by_hand", machine=frozenset({MachineRule.LADDER})),
    rulebook(
        version="fewer",
        categories={c.code: c for c in categories() if c.code != PLAIN},
        catalogue=tuple(line for line in CATALOGUE if PLAIN not in line.categories),
    ),
    rulebook(version="nothing_fits", catalogue=()),
)


class AnyRecord(AnyWalk):
    """The same walks, recorded as dispatch records them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Stored] = []

    @precondition(lambda self: len(self.facts) < 3)
    @rule(stretch=st.sampled_from((to_filed, to_dispatched, to_handling, jointly, to_fed_back)))
    def it_is_already_on_its_way(self, stretch: Callable[[Walk], Walk]) -> None:
        walk = RecordedWalk()
        stretch(walk)
        self.case, self.facts, self.now, self.last = walk.case, list(walk.facts), walk.now, None
        self.rows = list(walk.rows)

    def what_is_offered_is_taken(self) -> None:
        """A matter of the walks themselves."""

    def take(self, command: Command) -> None:
        facts, rows = answered(self.case, command, BOOK, self.now, AROUND)
        for fact in facts:
            self.case = evolve(self.case, fact)
        self.facts += facts
        self.rows += rows
        if self.case is not None:
            self.now = max(self.now, self.case.last_at)

    def teardown(self) -> None:
        super().teardown()
        if self.case is None:
            return
        record, end = record_of(self.rows), self.now + timedelta(days=400)
        assert relive(record, lambda _: BOOK, self.now).facts[: len(self.facts)] == self.facts
        unchanged, _ = compare(record, lambda _: BOOK, lambda _: BOOK, end)
        assert (unchanged.verdict, unchanged.why, unchanged.differs) == (Verdict.COMPARED, "", False)
        for book in OTHERS:
            changed, _ = compare(record, lambda _: BOOK, lambda _, book=book: book, end)
            assert changed.verdict in (Verdict.COMPARED, Verdict.DIVERGED)
            assert changed == compare(record, lambda _: BOOK, lambda _, book=book: book, end)[0]
            assert changed.before is None or changed.verdict is Verdict.DIVERGED or changed.before == unchanged.before


AnyRecord.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestAnyRecord = AnyRecord.TestCase
