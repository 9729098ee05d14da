"""What the rules do, written out: a story acts on a case, and every fact it makes becomes a few lines that can be read.

    09:00 case.called call_up by zhibu01 GS because no_means, tells CS@441802001001
        state at_community
        owner T1 CS 441802001001
        clock c1:t0_response:1 stopped, 0 of 3600 work used

Nothing is left out: two runs that differ anywhere in a fact differ in its lines. What changes nothing is not written:
fields that hold their default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from services.governance.acts import Actor, Clock, Fact, Input, InputType, OpenCase, Owner, Routed, Told
from services.governance.case import clock_of, offers
from services.governance.cycle import Action, ClockKind
from services.governance.errors import GovernanceError
from services.governance.explain import explain
from tests.support.governance import EVERYBODY, Walk

FIRST_DAY = datetime(2026, 3, 6)


@dataclass
class Teller:
    """A walk whose steps are written down. What happened before `begin` is left out."""

    walk: Walk
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._told = len(self.walk.facts)
        self._before = self.walk._case

    def act(self, actor: Actor, action: Action, **inputs: object) -> Teller:
        """An act that is done, or the refusal it meets."""
        try:
            self.walk.act(actor, action, **inputs)
        except GovernanceError as refusal:
            self.lines.append(f"{_time(self.walk.now)} {actor.account} may not {action}: {_refusal(refusal)}")
        else:
            self.catch_up()
        return self

    def offers(self, *actors: Actor) -> Teller:
        """What is offered to whom, with the fields of each form; to all people where nobody is named."""
        people: dict[str, list[str]] = {}
        for actor in actors or EVERYBODY:
            for offer in offers(self.walk.case, actor, self.walk.book, self.walk.now):
                marks = ("*" if offer.primary else "") + ("?" if offer.ask else "")
                form = " ".join(map(_field, offer.inputs))
                people.setdefault(f"may {offer.label}{marks} ({form}): ", []).append(actor.account)
        self.lines += [offer + " ".join(accounts) for offer, accounts in people.items()]
        return self

    def explains(self, *kinds: ClockKind) -> Teller:
        """Why clocks of these kinds are due when they are; the latest of each."""
        for kind in kinds:
            clock = clock_of(self.walk.case, kind)
            assert clock is not None
            told_of = explain(self.walk.case, clock, self.walk.facts, self.walk.book)
            self.lines.append("why " + "; ".join(_fields(told_of, leave=frozenset({"steps"}))))
            self.lines += ["    " + "; ".join(_fields(step)) for step in told_of.steps]
        return self

    def catch_up(self) -> Teller:
        """Write what has happened since."""
        fresh = self.walk.facts[self._told :]
        self.lines += [line for fact in fresh for line in told(fact)]
        self._told = len(self.walk.facts)
        return self

    def stands(self) -> Teller:
        """How the case stands now, without what stays as it came."""
        case = self.walk.case
        if case.routed is not None:
            case = replace(case, routed=Routed(case.routed.lead, (), case.routed.line, case.routed.basis))
        self.lines.append(f"stands {case.state} {case.tier} {case.urgency} " + "; ".join(_fields(case, leave=_LASTING)))
        return self


_LASTING = frozenset(
    {"case_id", "case_no", "opened_at", "rulebook", "source", "spot", "nature", "clocks", "undo"}
    | {"state", "tier", "urgency"}
)


# --- words -----------------------------------------------------------------------------------------------------------
def told(fact: Fact) -> Iterator[str]:
    """One line for the fact, one for each change it makes."""
    who = " ".join(x for x in (fact.actor.account or "the machine", fact.actor.role, fact.actor.unit) if x)
    words = [_time(fact.at), str(fact.kind), str(fact.action or "–"), "by", who]
    words += [f"by {fact.rule.rule} of {fact.rule.rulebook}"] if fact.rule else []
    words += [f"because {fact.reason}"] if fact.reason else []
    words += [f"as {fact.intent}"] if fact.intent else []
    words += [f"({fact.op_id})"] if fact.op_id else []
    line = " ".join(words)
    yield line + (", tells " + " ".join(map(_plain, fact.tell)) if fact.tell else "")
    for change in fact.changes:
        yield "    " + _change(change)


def _field(field_: Input) -> str:
    """A field of a form; choices only where they are the case's own."""
    own = field_.name == "request" or field_.type in (InputType.CONDITION, InputType.TASK)
    choices = f"[{_plain(field_.choices)}]" if own else ""
    return f"{field_.name}{'' if field_.required else '?'}:{field_.type}{choices}"


def _change(change: object) -> str:
    name = type(change).__name__
    return f"{name} " + "; ".join(_fields(change))


def _fields(thing: object, leave: frozenset[str] = frozenset()) -> Iterator[str]:
    for one in fields(thing):  # type: ignore[arg-type]
        value = getattr(thing, one.name)
        default = one.default if one.default is not MISSING else one.default_factory() if _made(one) else MISSING
        if one.name in leave or value == default or (default is MISSING and value in (None, (), frozenset(), "")):
            continue
        yield f"{one.name} {_plain(value)}"


def _made(one: object) -> bool:
    return getattr(one, "default_factory", MISSING) is not MISSING


def _plain(value: object) -> str:
    if isinstance(value, Clock):
        return _clock(value)
    if isinstance(value, Told):
        return f"{value.post}@{value.code}" if value.code else value.post
    if isinstance(value, Owner):
        return f"{value.tier} {value.role} {value.code}"
    if isinstance(value, OpenCase):
        return value.report_id
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, frozenset):
        return "{" + " ".join(sorted(map(_plain, value))) + "}"
    if isinstance(value, tuple):
        return " ".join(f"({_plain(x)})" if isinstance(x, tuple) or is_dataclass(x) else _plain(x) for x in value)
    if is_dataclass(value):
        return ", ".join(_fields(value))
    return str(value)


def _clock(clock: Clock) -> str:
    points = " ".join(f"{r.rung}:{r.act}@{_time(r.at)}" for r in clock.rungs)
    times = {"due": clock.due_at, "since": clock.running_since, "stopped": clock.stopped_at}
    if clock.original_due != clock.due_at:
        times["originally"] = clock.original_due
    if clock.started_at != clock.running_since:
        times["started"] = clock.started_at
    rest = " ".join(f"{name} {_time(at)}" for name, at in times.items() if at is not None)
    more = "".join(
        f" {name} {_plain(value)}"
        for name, value in (("fired", clock.fired), ("task", clock.task_id), ("provisional", clock.provisional))
        if value
    )
    kept = f"{clock.rulebook} {clock.calendar_rev}"
    used = f"{clock.consumed_s} of {clock.budget_s} {clock.basis} used"
    return f"{clock.clock_id} {clock.kind} rev {clock.rev} {clock.state}, {used}, {rest} [{points}]{more} by {kept}"


def _time(at: datetime) -> str:
    """On the street's wall clock; the first day of a story is not said."""
    local = (at + timedelta(hours=8)).replace(tzinfo=None)
    text = local.strftime("%H:%M:%S").removesuffix(":00") + (f".{local:%f}" if local.microsecond else "")
    if local.date() == FIRST_DAY.date():
        return text
    year = "" if local.year == FIRST_DAY.year else f"{local.year}-"
    return f"{year}{local:%m-%d} {text}"


def _refusal(refusal: GovernanceError) -> str:
    given = " ".join(f"{name}={_plain(value)}" for name, value in refusal.params.items() if value not in (None, ()))
    return f"{refusal.code} {given}".rstrip()


# --- the page --------------------------------------------------------------------------------------------------------
def page(told_lines: Iterable[tuple[str, list[str]]]) -> str:
    """All stories one below the other."""
    return "\n".join(f"== {name}\n" + "\n".join(lines) + "\n" for name, lines in told_lines)


def stories_of(path: Path) -> dict[str, str]:
    """The page again, by story."""
    parts = path.read_text("utf-8").split("== ")[1:]
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip("\n") for part in parts}
