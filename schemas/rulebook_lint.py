"""What the rows of a rulebook file say of each other: holes, contradictions and lines that can never be reached.

Each look is a function file → faults; `LOOKS` lists them. A version that was taken once is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product

from schemas.labels import Labels
from schemas.rulebook_faults import Fault
from schemas.rulebook_file import ConditionRow, LineRow, RulebookFile
from schemas.toml_places import Path
from services.governance.cycle import ClockKind, MachineRule, Nature
from services.governance.moves import MOVES
from services.governance.routing import RouteKind, covers
from services.governance.rulebook import NEED_LIMIT
from services.governance.tiers import RungAct
from services.governance.worktime import Basis

Faults = Iterator[Fault]
_SENSITIVE = ("21", "23")  # disputes, hardship
_SENSITIVE_SCHEME = "STREET-EXT"
_MEDIA = "media"
_DISTRICT = "district"
# Acts that move the case belong to the one clock they end.
_ONLY_ON = {
    RungAct.CALL_UP: (ClockKind.GRID_RESPONSE, ClockKind.COMMUNITY_RESPONSE),
    RungAct.SIGN: (ClockKind.RETURN_WINDOW,),
    RungAct.RUN_ON: (ClockKind.MORE,),
    RungAct.RESUME: (ClockKind.REVIEW,),
    RungAct.NEXT_CHECKER: (ClockKind.CONFIRM, ClockKind.VERIFY),
    RungAct.SUPERVISE: (ClockKind.COMMUNITY_DISPOSAL, ClockKind.HANDLING, ClockKind.DISTRICT_HANDLING),
}
# Clocks that end themselves, or that never run without another one beside them.
_MAY_FALL_SILENT = frozenset({ClockKind.WHOLE, ClockKind.RETURN_WINDOW, ClockKind.MORE, ClockKind.REVIEW})
_QUIET_ACTS = frozenset({RungAct.MARK})


def _conditions(file: RulebookFile) -> Iterator[tuple[Path, ConditionRow, str | None]]:
    """Every filing condition with its place and its class."""
    for n, row in enumerate(file.categories):
        for m, condition in enumerate(row.conditions):
            yield ("categories", n, "conditions", m), condition, row.code
    for n, condition in enumerate(file.conditions):
        yield ("conditions", n), condition, None


def twice(file: RulebookFile) -> Faults:
    """A code or id may be used once."""
    yield from _twice((("categories", n, "code"), row.code) for n, row in enumerate(file.categories))
    yield from _twice((("sources", n, "id"), row.id) for n, row in enumerate(file.sources))
    yield from _twice((("catalogue", n, "id"), row.id) for n, row in enumerate(file.catalogue))
    yield from _twice(((*path, "id"), row.id) for path, row, _ in _conditions(file))
    names = (
        (("categories", n, "also", m), f"{each.scheme} {each.version} {each.code}")
        for n, row in enumerate(file.categories)
        for m, each in enumerate(row.also)
    )
    yield from _twice(names)
    for n, row in enumerate(file.categories):
        texts = ((("categories", n, "conditions", m, "text"), c.text) for m, c in enumerate(row.conditions))
        yield from _twice(texts, "condition_overlaps")


def _twice(named: Iterable[tuple[Path, str]], code: str = "twice") -> Faults:
    seen: set[str] = set()
    for path, name in named:
        if name in seen:
            yield Fault(path, code, {"value": name})
        seen.add(name)


def clocks(file: RulebookFile) -> Faults:
    """Every clock has a ladder that somebody hears of, and a limit unless it has one of its own."""
    for kind in ClockKind:
        if not file.ladders.get(kind):
            yield Fault(("ladders",), "clock_without_ladder", {"kind": kind.value})
        if kind in NEED_LIMIT and kind not in file.limits:
            yield Fault(("limits",), "clock_without_limit", {"kind": kind.value})
    for kind in file.limits:
        if kind not in NEED_LIMIT:
            yield Fault(("limits", kind.value), "limit_never_used", {"kind": kind.value})
    for kind, steps in file.ladders.items():
        for n, step in enumerate(steps):
            yield from _step(("ladders", kind.value, n), kind, step.act, step.tell)
        if steps and not any(s.percent >= 100 and s.after is None and not s.urgent_only for s in steps):
            yield Fault(("ladders", kind.value), "ladder_ends_early", {"kind": kind.value})
        elif steps and kind not in _MAY_FALL_SILENT and not any(step.every for step in steps):
            yield Fault(("ladders", kind.value), "ladder_falls_silent", {"kind": kind.value})


def _step(path: Path, kind: ClockKind, act: RungAct, tell: Sequence[str]) -> Faults:
    known = {key.removeprefix("tell.") for key in Labels("zh-CN").under("tell.")}
    if not tell and act not in _QUIET_ACTS:
        yield Fault(path, "tier_without_post", {"act": act.value})
    for post in tell:
        if post not in known:
            yield Fault(path, "post_unknown", {"value": post, "all": ", ".join(sorted(known))})
    if kind not in _ONLY_ON.get(act, (kind,)):
        yield Fault(path, "act_misplaced", {"act": act.value, "all": ", ".join(_ONLY_ON[act])})


def machine(file: RulebookFile) -> Faults:
    """What the machine may do is said of every rule; none is left to what a program takes for granted."""
    for rule in MachineRule:
        if rule not in file.machine:
            yield Fault(("machine",), "rule_unsaid", {"rule": rule.value})


def references(file: RulebookFile) -> Faults:
    """What is named exists."""
    ids = {row.id for _, row, _ in _conditions(file)}
    for path, row, _ in _conditions(file):
        if row.limit_set is not None and row.limit_set not in file.limit_sets:
            yield Fault((*path, "limit_set"), "limit_set_unknown", {"value": row.limit_set})
    used = {row.limit_set for _, row, _ in _conditions(file)}
    for name in file.limit_sets:
        if name not in used:
            yield Fault(("limit_sets", name), "limit_set_unused", {"value": name})
    for name, value in (("danger", file.street.danger_condition), ("unsure", file.street.unsure_condition)):
        if value not in ids:
            yield Fault(("street", f"{name}_condition"), "condition_unknown", {"value": value})
    for n, line in enumerate(file.catalogue):
        yield from _line_references(("catalogue", n), line, file, ids)


def _line_references(path: Path, line: LineRow, file: RulebookFile, ids: set[str]) -> Faults:
    yield from _unknown((*path, "sources"), line.sources, {row.id for row in file.sources}, "source_unknown")
    yield from _unknown((*path, "conditions"), line.conditions, ids, "condition_unknown")
    units = set(file.units)
    yield from _unknown((*path, "lead"), (line.lead,), units, "unit_unknown")
    yield from _unknown((*path, "co_units"), line.co_units, units, "unit_unknown")
    yield from _unknown((*path, "next_units"), line.next_units, units, "unit_unknown")
    if line.lead in file.units and file.units[line.lead].kind == _DISTRICT:
        yield Fault((*path, "lead"), "lead_at_district", {"value": line.lead})
    if line.lead in line.co_units:
        yield Fault((*path, "co_units"), "lead_is_co_unit", {"value": line.lead})
    for pattern in line.categories:
        if not any(covers((pattern,), row.code) for row in file.categories):
            yield Fault((*path, "categories"), "category_unknown", {"value": pattern})
    for area in line.areas:
        if not area.startswith(file.street.code):
            yield Fault((*path, "areas"), "area_elsewhere", {"value": area, "street": file.street.code})


def _unknown(path: Path, named: Iterable[str], known: set[str], code: str) -> Faults:
    for name in named:
        if name not in known:
            yield Fault(path, code, {"value": name})


def danger(file: RulebookFile) -> Faults:
    """How dangerous a condition is, and what may not wait for the morning, is never left out by accident."""
    for path, row, _ in _conditions(file):
        if "urgency" not in row.model_fields_set:
            yield Fault(path, "urgency_unsaid")
        if row.id == file.street.danger_condition and row.limit.basis is not Basis.WALL:
            yield Fault((*path, "limit"), "danger_not_wall", {"value": row.id})


def sensitive(file: RulebookFile) -> Faults:
    """Disputes, hardship and what the press brings are seen by few, and never handed out by the machine."""
    for n, row in enumerate(file.categories):
        own = (row.scheme or file.codes.scheme) == _SENSITIVE_SCHEME and row.code.startswith(_SENSITIVE)
        if own and not row.restricted:
            yield Fault(("categories", n), "not_restricted", {"value": row.code})
        if row.restricted and row.auto_dispatch:
            yield Fault(("categories", n, "auto_dispatch"), "restricted_by_machine", {"value": row.code})
    for n, source in enumerate(file.sources):
        if source.id == _MEDIA and not source.restricted:
            yield Fault(("sources", n), "not_restricted", {"value": source.id})


def reasons(file: RulebookFile) -> Faults:
    """A list of reasons belongs to a move that asks for one, and gives a choice."""
    asked = {move.label_id for move in MOVES if any(field.name == "reason" and field.choices for field in move.inputs)}
    for label, own in file.reasons.items():
        if label not in asked:
            yield Fault(("reasons", label), "move_unknown", {"value": label, "all": ", ".join(sorted(asked))})
        elif not own:
            yield Fault(("reasons", label), "reasons_empty")


# --- routes ----------------------------------------------------------------------------------------------------------
def kind_of(line: LineRow) -> RouteKind:
    """What a line rests on; books from before lines had a kind say only whether it is a last resort."""
    return line.kind or (RouteKind.FALLBACK if line.fallback else RouteKind.CATALOGUE)


def uncovered(file: RulebookFile) -> Faults:
    """A matter that no line takes would wait for a person every time: dangerous or not, complaint or help."""
    for n, row in enumerate(file.categories):
        for m, condition in enumerate(row.conditions):
            for nature, urgent in product((Nature.COMPLAINT, Nature.HELP), (False, True)):
                if not any(_could_take(line, row.code, condition.id, nature, urgent) for line in file.catalogue):
                    told = {"value": condition.id, "nature": nature.value, "danger": "yes" if urgent else "no"}
                    yield Fault(("categories", n, "conditions", m), "no_line", told)
                    break


def _could_take(line: LineRow, category: str, condition: str, nature: Nature, urgent: bool) -> bool:
    """Whether the line takes it somewhere, from some source."""
    return (
        (not line.categories or covers(line.categories, category))
        and (not line.conditions or condition in line.conditions)
        and (not line.natures or nature in line.natures)
        and line.danger in (None, urgent)
    )


def unreachable(file: RulebookFile) -> Faults:
    """A line behind one that takes all of it never leads; two of which neither is the narrower leave it to chance."""
    order = {kind: n for n, kind in enumerate(RouteKind)}
    rows = sorted(enumerate(file.catalogue), key=lambda each: order[kind_of(each[1])])
    codes = [row.code for row in file.categories]
    lines = [(n, row, _meant(row, codes)) for n, row in rows]  # each is compared with every other
    for position, (n, later, these) in enumerate(lines):
        for _, earlier, those in lines[:position]:
            if _takes_all_of(earlier, later, these <= those):
                yield Fault(("catalogue", n), "line_unreachable", {"value": later.id, "by": earlier.id})
                break
            alike = kind_of(earlier) is kind_of(later) and not these.isdisjoint(those)
            if alike and _meet(earlier, later) and not _takes_all_of(later, earlier, those <= these):
                yield Fault(("catalogue", n), "lines_overlap", {"value": later.id, "by": earlier.id})
                break


def _takes_all_of(wide: LineRow, narrow: LineRow, categories: bool) -> bool:
    """Whether whatever fits the one fits the other; `categories`: as far as those of the file go, it does."""
    return (
        (not wide.categories or (bool(narrow.categories) and categories))
        and (not wide.areas or (bool(narrow.areas) and all(a.startswith(wide.areas) for a in narrow.areas)))
        and _within(wide.conditions, narrow.conditions)
        and _within(wide.natures, narrow.natures)
        and _within(wide.sources, narrow.sources)
        and wide.danger in (None, narrow.danger)
    )


def _within(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _meet(one: LineRow, other: LineRow) -> bool:
    """Whether something fits both, of the categories that do."""
    areas = not one.areas or not other.areas
    return (
        (areas or any(a.startswith(b) or b.startswith(a) for a in one.areas for b in other.areas))
        and all(
            not mine or not theirs or bool(set(mine) & set(theirs))
            for mine, theirs in (
                (one.conditions, other.conditions),
                (one.natures, other.natures),
                (one.sources, other.sources),
            )
        )
        and (one.danger is None or other.danger is None or one.danger is other.danger)
    )


def _meant(line: LineRow, codes: Sequence[str]) -> frozenset[str]:
    return frozenset(code for code in codes if not line.categories or covers(line.categories, code))


def never_automatic(file: RulebookFile) -> Faults:
    """A class that the machine may dispatch needs an ordinary line; a last resort is for a person."""
    for n, row in enumerate(file.categories):
        ordinary = (x for x in file.catalogue if kind_of(x) is not RouteKind.FALLBACK)
        if row.auto_dispatch and not any(x.categories and covers(x.categories, row.code) for x in ordinary):
            yield Fault(("categories", n, "auto_dispatch"), "nothing_to_dispatch", {"value": row.code})


LOOKS: tuple[Callable[[RulebookFile], Faults], ...] = (
    twice,
    clocks,
    machine,
    references,
    danger,
    sensitive,
    reasons,
    uncovered,
    unreachable,
    never_automatic,
)
