"""The rules are pure and their tables complete: what the import rules cannot say, and what a half-done move forgets."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.governance import case, moves
from services.governance.acts import FACT_KINDS, FactKind, Inputs, InputType
from services.governance.case.rows import ASKING, DOING, EFFECTS, GUARDS
from services.governance.cycle import CYCLE, LIVE, Action, MachineRule, Role, Stage, State
from services.governance.moves import BY_STEP, MOVES, ROWS

ROOT = Path(moves.__file__).parent
PAGE = ROOT.parents[1] / "docs" / "reference" / "cycle.md"
LONGEST_FUNCTION = 50
CORE_LINES = 5430
"""Lines of code, without comments and docstrings. Who makes the rules longer raises it here, and has a reason."""
_NO_CODE = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})
FORBIDDEN = frozenset(
    {
        "asyncio",
        "io",
        "logging",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "sqlite3",
        "subprocess",
        "threading",
        "time",
        "uuid",
    }
)
ALLOWED = frozenset(sys.stdlib_module_names) - FORBIDDEN


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def files() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_rules_use_the_standard_library_and_themselves(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for name in imports(tree):
        assert name.startswith("services.governance") or name.split(".")[0] in ALLOWED, f"{path.name} imports {name}"
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    assert not names & {"print", "open", "input", "eval", "exec"}, path.name


def test_nothing_in_the_rules_asks_the_time() -> None:
    for path in files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                assert not (isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}), path.name


def code_lines(path: Path) -> int:
    """Lines that hold code: no comment, no docstring, nothing empty."""
    text = path.read_text("utf-8")
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE and token.string:
            held |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            held -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(held)


def test_the_rules_stay_small_and_so_do_their_functions() -> None:
    sizes = {str(path.relative_to(ROOT)): code_lines(path) for path in files()}
    assert sum(sizes.values()) <= CORE_LINES, sizes
    for path in files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{path.name}: {node.name} has {length} lines"


def test_one_row_per_state() -> None:
    assert set(CYCLE) == set(State)
    assert all(row.state is state for state, row in CYCLE.items())
    assert {row.stage for row in CYCLE.values()} - {None} == set(Stage)
    assert all(row.owner for state, row in CYCLE.items() if state in LIVE)
    assert not any(row.owner for state, row in CYCLE.items() if state not in LIVE)


def test_rows_are_named_once_and_steps_are_not_ambiguous() -> None:
    assert len(ROWS) == len(MOVES)
    pairs = [(m.action, s) for m in MOVES if m.who for s in m.sources]
    assert len(pairs) == len(set(pairs)) == len(BY_STEP)


def test_every_row_of_people_does_something_and_no_function_is_left_over() -> None:
    people = {m.row for m in MOVES if m.who}
    assert people == set(EFFECTS)
    assert set(GUARDS) | set(DOING) | set(ASKING) <= people
    assert {row for row in DOING if not ROWS[row].doing} == {row for row in ASKING if not ROWS[row].asking} == set()
    assert all(m.machine or m.row == "1" for m in MOVES if not m.who)


def test_every_live_state_can_be_left_and_every_state_reached() -> None:
    left = {s for m in MOVES for s in m.sources if set(m.targets) - {s}}
    assert left >= LIVE
    reached = {t for m in MOVES for t in m.targets}
    assert set(State) == reached


def test_every_word_of_the_action_list_has_a_row() -> None:
    assert {m.action for m in MOVES} == set(Action)


def test_every_input_is_a_field_and_choices_belong_to_choice_fields() -> None:
    fields = set(Inputs.__dataclass_fields__)
    for move in MOVES:
        names = [i.name for i in move.inputs]
        assert set(names) <= fields, move.row
        assert len(names) == len(set(names)), move.row
        for field in move.inputs:
            assert not field.choices or field.type in (InputType.CHOICE, InputType.GRADE), move.row


def test_facts_of_moves_are_published_kinds() -> None:
    assert {m.fact for m in MOVES} <= set(FactKind)
    assert {k.value for k in FactKind} == set(FACT_KINDS)
    assert all(k.value.startswith("case.") for k in FactKind)


def test_what_only_a_person_does_has_no_machine() -> None:
    only_people = {
        Action.ANSWER,
        Action.DECLINE,
        Action.NOT_FILE,
        Action.RETURN,
        Action.RULE,
        Action.WHISTLE,
        Action.APPROVE,
        Action.VERIFY_PASS,
        Action.VERIFY_FAIL,
        Action.VOID,
        Action.MERGE,
        Action.UNMERGE,
    }
    assert not [m.row for m in MOVES if m.action in only_people and m.machine]


def test_handlers_never_verify_and_nobody_decides_what_he_may_not() -> None:
    verifying = {g.role for m in MOVES if m.action in (Action.VERIFY_PASS, Action.VERIFY_FAIL) for g in m.who}
    assert not verifying & {Role.HANDLING_UNIT, Role.MEMBER_UNIT}
    onlookers = {Role.ADMINISTRATOR, Role.AUDITOR, Role.EVALUATOR}
    assert not {g.role for m in MOVES for g in m.who} & onlookers
    committee = {m.action for m in MOVES for g in m.who if g.role is Role.STREET_COMMITTEE}
    assert committee == {Action.CALL_CONFERENCE, Action.HOLD_CONFERENCE}, "it advises, it neither rules nor orders"


def test_machine_rules_are_those_of_the_table() -> None:
    assert {r for m in MOVES for r in m.machine} <= set(MachineRule)


def test_the_printed_tables_and_diagram_name_every_row() -> None:
    page = PAGE.read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert all(any(row.startswith(f"| `{s.value}` | {CYCLE[s].zh} |") for row in rows) for s in State)
    assert all(any(row.startswith(f"| {m.row} | `{m.action.value}`") for row in rows) for m in MOVES)
    assert all(f"{s.value} : {CYCLE[s].zh}\n" in page for s in State)
    assert "reported --> at_community : call_up, auto_call_up\n" in page
    assert "`call_up` 呼叫社区" in page
    allowed = page.split("## Permissions")[1].splitlines()
    people = {m.action for m in MOVES if m.who} - {Action.APPROVE, Action.DENY}
    assert all(any(row.startswith(f"| `{action.value}`") for row in allowed) for action in people)
    assert "○ lead" in next(row for row in allowed if row.startswith("| `extend_request`"))


def test_the_public_door_names_what_it_lets_out() -> None:
    assert all(hasattr(case, name) for name in case.__all__)
    assert moves.MOVES is MOVES
