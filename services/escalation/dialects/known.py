"""The dialects there are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from services.escalation.dialects.base import Dialect
from services.escalation.dialects.city_form import city_form
from services.escalation.dialects.native import Native


@cache
def dialects() -> Mapping[str, Dialect]:
    """By name. Files of words are read once a process, when first asked for."""
    return {one.name: one for one in (Native(), city_form())}


def dialect(name: str) -> Dialect:
    """The dialect of this name. Raises KeyError for one that there is not."""
    return dialects()[name]
