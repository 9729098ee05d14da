"""The tables and the diagram of the cycle, printed from the rows that the rules run on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from printers.tables import table
from services.governance.acts import Input
from services.governance.cycle import CYCLE, Action, Role, Stage, State
from services.governance.moves import MOVES, Grant, Move, Scope
from services.governance.tiers import TIERS

_FEW = 3  # a move with more targets would cover the diagram with arrows
_MANY = 8


def states_table() -> str:
    """Every state with its step, its owner and whether it is live, as a Markdown table."""
    rows = (
        (
            f"`{row.state.value}`",
            row.zh,
            row.stage.value if row.stage else "(where it came from)",
            row.tier.value if row.tier else "(unchanged)",
            " ".join(r.value for r in row.owner) or "–",
            "yes" if row.live else "no",
        )
        for row in CYCLE.values()
    )
    return table(("state", "中文", "stage", "tier", "owner", "live"), rows)


def moves_table(words: Mapping[str, str] | None = None) -> str:
    """Every move, in the order of its row; `words` maps label ids to the words of a language."""
    named = words or {}
    rows = (
        (
            move.row,
            f"`{move.action.value}`" + _word(named, move),
            _states(move.sources) or "–",
            _states(move.targets) or "same",
            _who(move),
            _fields(move.inputs),
            f"`{move.fact.value}`",
        )
        for move in MOVES
    )
    return table(("row", "action", "from", "to", "who", "inputs", "fact"), rows)


def permissions_table(words: Mapping[str, str] | None = None) -> str:
    """Who may do what: an action a row, a role a column, as `permissions` has it."""
    named = words or {}
    matrix = permissions()
    roles = [role for role in Role if any(role in cells for cells in matrix.values())]
    rows = (
        (f"`{action.value}`" + _named(named, action.value), *(cells.get(role, "–") for role in roles))
        for action, cells in matrix.items()
    )
    return table(("action", *(role.value for role in roles)), rows)


def permissions() -> Mapping[Action, Mapping[Role, str]]:
    """● does, ○ asks and another decides, ◆ decides what others ask for; then over which cases (nothing: all of the
    street). Approving and denying follow from the rest and have no row."""
    given: dict[Action, list[Grant]] = {}
    for move in MOVES:
        if move.who and move.action not in (Action.APPROVE, Action.DENY):
            given.setdefault(move.action, []).extend(move.who)
    listed = [action for action in Action if action in given]
    return {action: {g.role: _may(given[action], g.role) for g in given[action]} for action in listed}


def tiers_table() -> str:
    """The ladder of ownership."""
    rows = (
        (row.tier.value, row.holder.value, row.response.value, row.disposal.value, row.up.value if row.up else "–")
        for row in TIERS.values()
    )
    return table(("tier", "holder", "answers within", "settles within", "next"), rows)


def diagram() -> str:
    """The states and the moves between them, as a Mermaid state diagram grouped by step."""
    lines = ["stateDiagram-v2", "    direction LR"]
    for stage in Stage:
        lines.append(f"    state {stage.value}_stage {{")
        lines += [f"        {row.state.value} : {row.zh}" for row in CYCLE.values() if row.stage is stage]
        lines.append("    }")
    lines += [f"    {row.state.value} : {row.zh}" for row in CYCLE.values() if row.stage is None]
    for (source, target), actions in _edges().items():
        lines.append(f"    {source} --> {target} : {', '.join(a.value for a in actions)}")
    return "\n".join(lines) + "\n"


def _edges() -> dict[tuple[str, str], list[Action]]:
    """One arrow per pair of states; moves that keep the state, or start from any of them, are left to the table."""
    edges: dict[tuple[str, str], list[Action]] = {}
    for move in MOVES:
        if not move.targets or len(move.targets) > _FEW:
            continue
        sources = [s.value for s in move.sources] or ["[*]"]
        for source in sources:
            for target in move.targets:
                if target.value != source and move.action not in edges.setdefault((source, target.value), []):
                    edges[(source, target.value)].append(move.action)
    return {pair: actions for pair, actions in edges.items() if actions}


def _may(grants: Iterable[Grant], role: Role) -> str:
    """A role's cell."""
    marks = dict.fromkeys(
        f"{_mark(g)}{'' if g.scope is Scope.STREET else ' ' + g.scope.value}"
        for g in sorted(grants, key=lambda g: (g.ask, g.approve))
        if g.role is role
    )
    return ", ".join(marks) or "–"


def _mark(grant: Grant) -> str:
    return "○" if grant.ask else "◆" if grant.approve else "●"


def _word(words: Mapping[str, str], move: Move) -> str:
    return _named(words, move.label_id)


def _named(words: Mapping[str, str], label: str) -> str:
    word = words.get(f"action.{label}") or words.get(label)
    return f" {word}" if word else ""


def _states(states: Iterable[State]) -> str:
    names = list(dict.fromkeys(s.value for s in states))
    return f"any of {len(names)}" if len(names) > _MANY else ", ".join(names)


def _who(move: Move) -> str:
    people = ", ".join(_grant(g) for g in move.who)
    rules = ", ".join(f"`{rule.value}`" for rule in move.machine)
    machine = f"the machine ({rules})" if rules else ""
    return "; ".join(part for part in (people, machine) if part) or "with the report"


def _grant(grant: Grant) -> str:
    scope = "" if grant.scope is Scope.STREET else f" {grant.scope.value}"
    also = f" with {' or '.join(r.value for r in grant.also)}" if grant.also else ""
    how = " (asks)" if grant.ask else " (approves)" if grant.approve else ""
    return f"{grant.role.value}{scope}{also}{how}"


def _fields(inputs: Iterable[Input]) -> str:
    return ", ".join(f"{i.name}{'' if i.required else '?'}" for i in inputs) or "–"
