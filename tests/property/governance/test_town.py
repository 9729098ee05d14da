"""A town of several cases: people, time, timers in any order, merges, new rulebooks and calendars; nothing that anybody
does breaks an invariant, and what is refused changes nothing and says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from services.governance.acts import (
    Absorb,
    Act,
    Actor,
    ActorRef,
    Archive,
    Around,
    AttachPhoto,
    ClockState,
    Command,
    Fact,
    Inputs,
    Post,
    Recompute,
    TimerFired,
)
from services.governance.case import Case, advance, consequences, decide, evolve, live_clock, offers, other_of
from services.governance.cycle import Action, ClockKind, Nature, Role, State
from services.governance.errors import GovernanceError, IllegalTransition, NotPermitted
from services.governance.rulebook import Rulebook
from services.governance.worktime import Calendar, CalendarChange, CalendarDay, DayKind
from tests.property.governance.history import History
from tests.property.governance.invariants import INVARIANTS, done_once
from tests.property.governance.test_walks import fitting, jointly, value_for
from tests.support.governance import (
    BOOK,
    COVER,
    EVERYBODY,
    HEAP,
    HOME,
    LITTER,
    PLAIN,
    QUARREL,
    STALL,
    YEARS,
    Walk,
    at,
    calendar,
    report,
    to_dispatched,
    to_fed_back,
    to_filed,
    to_handling,
)

NEXT_BOOK = replace(
    BOOK,
    version="rb2",
    conditions={**BOOK.conditions, "litter": replace(BOOK.conditions["litter"], limit=BOOK.conditions["stall"].limit)},
)
CLASSES = (LITTER, HEAP, STALL, COVER, QUARREL, PLAIN, None)
STRETCHES: tuple[Callable[[Walk], Walk], ...] = (to_filed, to_dispatched, to_handling, jointly, to_fed_back)
VERIFIER = ActorRef("wangge07", Role.GRID_WORKER)
MOST = 4


@cache
def _calendar(days_off: tuple[date, ...]) -> Calendar:
    """The street's calendar with more days off; a revision for each of them."""
    more = tuple(CalendarDay(day, DayKind.HOLIDAY, "台风") for day in days_off)
    years = tuple(replace(year, days=(*year.days, *more)) if year.year == 2026 else year for year in YEARS)
    return replace(calendar(years), revision=f"r{1 + len(days_off)}")


class Town(RuleBasedStateMachine):
    """Up to four cases of one grid, every one with its own history."""

    def __init__(self) -> None:
        super().__init__()
        self.now = at("2026-03-05 09:00")
        self.books = {BOOK.version: BOOK, NEXT_BOOK.version: NEXT_BOOK}
        self.book = BOOK  # what a new case is opened under
        self.days: list[date] = []
        self.histories: dict[str, History] = {}
        self.acts = 0
        self.last: tuple[str, Act] | None = None
        self.lent: list[tuple[str, Post, datetime]] = []  # who stands in, for which post, until when

    # --- reports, rulebooks, calendars -----------------------------------------------------------------------------
    @initialize(category=st.sampled_from(CLASSES))
    def first(self, category: str | None) -> None:
        self._open(category, {})

    @precondition(lambda self: len(self.histories) < MOST)
    @rule(
        category=st.sampled_from(CLASSES),
        danger=st.sampled_from((False, False, False, True)),
        nature=st.sampled_from((Nature.COMPLAINT, Nature.COMPLAINT, Nature.ENQUIRY)),
        staff=st.booleans(),
        direct=st.booleans(),
    )
    def somebody_reports(self, category: str | None, **more: Any) -> None:
        self._open(category, more)

    @precondition(lambda self: len(self.histories) < MOST)
    @rule(stretch=st.sampled_from(STRETCHES))
    def a_case_has_come_some_way(self, stretch: Callable[[Walk], Walk]) -> None:
        """The deeper states by a shorter way, under whatever rulebook is in force."""
        number = len(self.histories) + 1
        walk = Walk(self._reported(LITTER, number, {}), self._with_days(self.book))
        stretch(walk)
        self.now = max(self.now, walk.now)
        self._watch(walk.case.case_id, walk.facts)

    @rule()
    def another_rulebook_comes_into_force(self) -> None:
        """Open cases keep the version that they were opened under."""
        self.book = NEXT_BOOK if self.book is BOOK else BOOK

    @rule(ahead=st.integers(0, 12), again=st.booleans())
    def the_calendar_is_revised(self, ahead: int, again: bool) -> None:
        """A day off more, told to all; told twice, it moves nothing the second time."""
        before = self._with_days(BOOK).calendar
        day = (self.now + timedelta(days=ahead)).date()
        if day in self.days or day.year != 2026:
            return
        self.days.append(day)
        change = CalendarChange.between(before, self._with_days(BOOK).calendar)
        for case_id in sorted(self.histories):
            history = self.histories[case_id]
            history.book = self._book_of(history)
            stopped = {c.clock_id: c for c in self._case(case_id).clocks if c.state is ClockState.STOPPED}
            self._take(case_id, Recompute(change))
            after = {c.clock_id: c for c in self._case(case_id).clocks}
            assert all(after[key] == stopped[key] for key in stopped), "a stopped clock has moved"
            if again:
                assert decide(self._case(case_id), Recompute(change), history.book, self.now) == ()

    # --- people ----------------------------------------------------------------------------------------------------
    @rule(data=st.data())
    def somebody_does_what_is_offered(self, data: st.DataObject) -> None:
        case = self._any(data)
        able = [(a, o) for a in self._on_duty() for o in offers(case, a, self._book(case), self.now)]
        if not able:
            return
        usual = [m for m in able if m[1].action not in (Action.WITHDRAW, Action.VOID, Action.NOTE, Action.URGE)] or able
        actor, offer = data.draw(st.sampled_from(usual))
        if data.draw(st.booleans()):
            inputs = fitting(offer, case, data.draw(st.integers(0, 7)), self.now)
        else:
            given = {i.name: value_for(i, data, case, self.now) for i in offer.inputs}
            if given.get("category"):
                given["condition"] = self._book(case).categories[given["category"]].conditions[0]
            inputs = Inputs(**{k: v for k, v in given.items() if k != "urgency"})
        self._attempt(case, actor, offer.action, inputs, data)

    @precondition(lambda self: len(self.lent) < MOST)
    @rule(helper=st.sampled_from(EVERYBODY), absent=st.sampled_from(EVERYBODY), hours=st.sampled_from((1, 8, 72)))
    def somebody_stands_in(self, helper: Actor, absent: Actor, hours: int) -> None:
        """值班: another's post for a while, beside one's own. What separates duties still separates them."""
        self.lent.append((helper.account, absent.posts[0], self.now + timedelta(hours=hours)))

    @precondition(lambda self: bool(self.lent))
    @rule(data=st.data())
    def a_post_has_run_out(self, data: st.DataObject) -> None:
        """What was offered for the sake of a lent post alone is refused when its time is over."""
        account, post, _ = data.draw(st.sampled_from(self.lent))
        self.now = max(self.now, *(until for who, what, until in self.lent if (who, what) == (account, post)))
        case, actor = self._any(data), next(a for a in self._on_duty() if a.account == account)
        assert post in next(a for a in EVERYBODY if a.account == account).posts or post not in actor.posts
        stood_in = replace(actor, posts=(*actor.posts, post))
        settled = self._settled(case)  # what has fallen due meanwhile may have brought the case before himself
        own = {offer.action for one in (case, settled) for offer in offers(one, actor, self._book(case), self.now)}
        for offer in offers(settled, stood_in, self._book(case), self.now):
            if offer.action not in own:
                self._attempt(case, actor, offer.action, fitting(offer, case, 0, self.now), data, refused=True)

    @rule(data=st.data(), actor=st.sampled_from(EVERYBODY), action=st.sampled_from(sorted(Action)))
    def somebody_tries_anything(self, data: st.DataObject, actor: Actor, action: Action) -> None:
        given = Inputs(note="x", reason="on_duty", evidence=("p",), condition="litter", lead_unit="zhifa")
        self._attempt(self._any(data), actor, action, given, data)

    @precondition(lambda self: len(self.histories) > 1)
    @rule(data=st.data(), way=st.sampled_from((Action.MERGE, Action.MERGE, Action.UNMERGE)))
    def cases_are_merged_and_parted(self, data: st.DataObject, way: Action) -> None:
        """Into any other, open, closed, merged itself, or the very same."""
        case = self._any(data)
        for actor in EVERYBODY:
            offer = next((o for o in offers(case, actor, self._book(case), self.now) if o.action is way), None)
            if offer is not None:
                self._attempt(case, actor, way, fitting(offer, case, 0, self.now), data)
                return

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_last_act_comes_again(self) -> None:
        assert self.last is not None
        case_id, act = self.last
        done_once(self._case(case_id), act, self._book(self._case(case_id)), self.now)

    # --- time ------------------------------------------------------------------------------------------------------
    @rule(minutes=st.sampled_from((1, 9, 45, 300, 2000, 20_000)))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(data=st.data())
    def a_timer_fires(self, data: st.DataObject) -> None:
        """On time, late, twice, or for a due time that has moved since: then it is stale and gives nothing."""
        case = self._any(data)
        points = [(c, r) for c in case.clocks for r in c.rungs]
        if not points:
            return
        clock, rung = data.draw(st.sampled_from(points))
        back = data.draw(st.sampled_from((0, 0, 0, 1)))
        self.now = max(self.now, rung.at) if data.draw(st.booleans()) else self.now
        if rung.at > self.now:
            return
        fired = TimerFired(clock.clock_id, clock.rev - back, rung.rung, rung.at)
        stale = back or clock.state is not ClockState.RUNNING or rung.rung in clock.fired
        if stale:
            assert decide(case, fired, self._book(case), self.now) == (), "a stale timer did something"
            return
        self._take(case.case_id, fired)
        assert decide(self._case(case.case_id), fired, self._book(case), self.now) == (), "it fired twice"

    @rule(data=st.data())
    def a_photo_arrives_or_it_is_put_away(self, data: st.DataObject) -> None:
        case = self._any(data)
        command: Command = AttachPhoto(case.reports[0], "p1") if data.draw(st.booleans()) else Archive()
        self._take(case.case_id, command)

    # --- how a step is taken -----------------------------------------------------------------------------------------
    def _attempt(
        self, case: Case, actor: Actor, action: Action, inputs: Inputs, data: st.DataObject, *, refused: bool = False
    ) -> None:
        self.acts += 1
        around = self._around(case, data) if action in (Action.MERGE, Action.UNMERGE) else Around(verifier=VERIFIER)
        act = Act(action, actor, inputs, f"x{self.acts}")
        before = {key: history.case for key, history in self.histories.items()}
        try:
            self._take(case.case_id, act, around)
        except GovernanceError as refusal:
            assert {key: history.case for key, history in self.histories.items()} == before, (
                "a refusal changed something"
            )
            self._says_why(refusal, case, act)
            return
        assert not refused, f"{actor.account} may no longer {action}"
        self.last = (case.case_id, act)

    def _says_why(self, refusal: GovernanceError, case: Case, act: Act) -> None:
        """State, rule, and what is allowed instead."""
        assert refusal.code
        if isinstance(refusal, IllegalTransition):
            assert (refusal.state, refusal.action) == (self._settled(case).state, act.action)
            instead = offers(self._settled(case), act.actor, self._book(case), self.now)
            assert refusal.allowed == tuple(offer.action for offer in instead)
        if isinstance(refusal, NotPermitted):
            assert refusal.action is not None
            assert refusal.why

    def _settled(self, case: Case) -> Case:
        """As the clocks have left it by now."""
        return advance(case, Archive(), self._book(case), self.now)[1] or case

    def _around(self, case: Case, data: st.DataObject) -> Around:
        if case.master is not None:
            return Around(master=other_of(self._case(case.master.case_id)))
        other = self._case(data.draw(st.sampled_from(sorted(self.histories))))
        return Around(master=other_of(other))

    def _take(self, case_id: str, command: Command, around: Around | None = None) -> None:
        """The command, and in the same breath what follows for other cases."""
        history = self.histories[case_id]
        before, book = history.case, self._book_of(history)
        facts, reached = advance(before, command, book, self.now, around or Around(verifier=VERIFIER))
        for fact in facts:
            assert fact.at >= (before.last_at if before else fact.at)
        history.book = book
        self._told(case_id, facts)
        assert history.case == reached, "evolve∘decide"
        if history.case is not None:
            self.now = max(self.now, history.case.last_at)
        if isinstance(command, Absorb):
            self._is_the_older(self._case(case_id), command)

    def _is_the_older(self, master: Case, command: Absorb) -> None:
        """A merge keeps the earliest age."""
        whole = live_clock(master, ClockKind.WHOLE)
        if whole is not None and whole.clock_id.endswith(":1"):
            assert all(whole.started_at <= one.opened_at for one in command.duplicates), "the master is younger"

    def _told(self, case_id: str, facts: tuple[Fact, ...]) -> None:
        history, case = self.histories[case_id], self.histories[case_id].case
        follow: list[tuple[str, Command]] = []
        for fact in facts:
            follow += consequences(case, fact, history.book)
            case = evolve(case, fact)
        history.takes(facts)
        for other, command in follow:
            self._take(other, command)

    # --- the street ------------------------------------------------------------------------------------------------
    def _open(self, category: str | None, more: dict[str, Any]) -> None:
        number = len(self.histories) + 1
        command = self._reported(category, number, more)
        facts = decide(None, command, self._with_days(self.book), self.now, Around(verifier=VERIFIER))
        self._watch(command.case_id, list(facts))

    def _reported(self, category: str | None, number: int, more: dict[str, Any]) -> Any:
        ids = {"case_id": f"c{number}", "case_no": f"no-{number}", "report_id": f"r{number}", "spot": HOME}
        return report(category, self.now, **{**ids, **more})

    def _watch(self, case_id: str, facts: list[Fact]) -> None:
        history = History(self._with_days(self.book), EVERYBODY, checks=INVARIANTS)
        history.takes(facts)
        self.histories[case_id] = history

    def _with_days(self, book: Rulebook) -> Rulebook:
        return replace(book, calendar=_calendar(tuple(self.days))) if self.days else book

    def _book_of(self, history: History) -> Rulebook:
        assert history.case is not None
        return self._with_days(self.books[history.case.rulebook])

    def _book(self, case: Case) -> Rulebook:
        return self._with_days(self.books[case.rulebook])

    def _case(self, case_id: str) -> Case:
        found = self.histories[case_id].case
        assert found is not None
        return found

    def _on_duty(self) -> list[Actor]:
        """Everybody with the posts that he holds now, lent ones too."""
        lent = [(account, post) for account, post, until in self.lent if self.now < until]
        return [
            replace(a, posts=(*a.posts, *(post for account, post in lent if account == a.account))) for a in EVERYBODY
        ]

    def _any(self, data: st.DataObject) -> Case:
        return self._case(data.draw(st.sampled_from(sorted(self.histories))))

    def teardown(self) -> None:
        for history in self.histories.values():
            case = history.case
            assert case is not None
            assert {c.rulebook for c in case.clocks} <= {case.rulebook}, "a case has changed its rulebook"
            if case.state is State.MERGED:
                assert case.master is not None
                master = self._case(case.master.case_id)
                assert case.case_id in {d.case.case_id for d in master.absorbed}, "it follows nobody"
                assert master.state is not State.MERGED, "chains are flattened"


Town.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestTown = Town.TestCase
