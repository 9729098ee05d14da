"""The codes of error answers with their status and words, found in the word list and in the code that raises them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from printers.tables import table
from schemas.labels import Labels
from services.chassis.asgi.errors import HTTP_CODES
from services.chassis.asgi.problem import STATUS_OF
from services.governance.errors import GovernanceError

SERVICES = Path(__file__).resolve().parents[2] / "services"
RAISERS = {"Problem": 0, "Refusal": 422}
"""Classes an error answer starts from, with the status where the call names none."""


def page(zh: Labels, en: Labels) -> str:
    """Codes of answers, then codes of single fields."""
    statuses = _statuses()
    codes = sorted(key.split(".")[1] for key in zh.under("problem.") if key.count(".") == 1)
    rows = (
        (
            f"`{code}`",
            ", ".join(map(str, sorted(statuses[code]))),
            zh.under("problem.")[f"problem.{code}"],
            en.under("problem.")[f"problem.{code}"],
            en.under("problem.").get(f"problem.{code}.detail", ""),
        )
        for code in codes
        if code in statuses
    )
    fields = (
        (f"`{key.split('.')[2]}`", words, en.under("problem.field.")[key])
        for key, words in sorted(zh.under("problem.field.").items())
        if key.count(".") == 2 and not key.endswith(".remedy")
    )
    return "\n".join(
        [
            "# Problem codes",
            "",
            "Every error answer is `application/problem+json` with a `code` that stays. `title` and `detail` come in",
            "the language of `Accept-Language`. Refusals of the rules that no other status fits are 409. Where fields",
            "are wrong, `errors[]` names each with a code of its own and what to do.",
            "",
            table(("code", "status", "中文", "English", "what to do"), rows),
            "## Codes of fields",
            "",
            table(("code", "中文", "English"), fields),
        ]
    )


def _statuses() -> dict[str, set[int]]:
    found: dict[str, set[int]] = {code: {status} for status, code in HTTP_CODES.items()}
    packages = [folder for folder in SERVICES.iterdir() if (folder / "__init__.py").exists()]
    for file in sorted(file for package in packages for file in package.rglob("*.py")):
        for code, status in _raised(ast.parse(file.read_text("utf-8"))):
            found.setdefault(code, set()).add(status)
    for refusal in _subclasses(GovernanceError):
        found.setdefault(refusal.code, set()).add(STATUS_OF.get(refusal.code, 409))
    return found


def _raised(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in RAISERS:
            continue
        named = [keyword.value for keyword in call.keywords if keyword.arg == "status"]
        numbers = [value for value in _constants([*call.args, *named]) if isinstance(value, int)]
        status = next(iter(numbers), RAISERS[call.func.id])
        told = [values for values in map(_constants, ([each] for each in call.args)) if values]
        code = next((values for values in told if isinstance(values[0], str)), [])
        if status:
            yield from ((str(value), status) for value in code)


def _constants(nodes: Sequence[ast.expr]) -> list[object]:
    """Values written out in the arguments, both sides of an `a if … else b` too."""
    flat = [side for node in nodes for side in ((node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,))]
    return [node.value for node in flat if isinstance(node, ast.Constant)]


def _subclasses(of: type[GovernanceError]) -> Iterator[type[GovernanceError]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)
