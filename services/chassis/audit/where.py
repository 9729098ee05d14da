"""Where a request came from, for whoever writes about it further down: set once at the edge, read anywhere."""

from __future__ import annotations

from contextvars import ContextVar

_ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)


def note_origin(address: str | None) -> None:
    """The network address of the caller of the request being served."""
    _ADDRESS.set(address[:60] if address else None)


def came_from() -> str | None:
    """That address; None outside a request."""
    return _ADDRESS.get()
