"""Why intake does not take something: a stable code, the field at fault, and what a message needs. No prose."""

from __future__ import annotations


class Refusal(Exception):
    """Nothing was stored. `status` is the answer's; `field` None: the request as a whole."""

    def __init__(self, code: str, field: str | None = None, *, status: int = 422, **values: str | int) -> None:
        super().__init__(f"{code} {field or ''}".strip())
        self.code = code
        self.field = field
        self.status = status
        self.values = values


def unknown_report() -> Refusal:
    """Not there, or not the caller's: both look the same from outside."""
    return Refusal("not_found", status=404)
