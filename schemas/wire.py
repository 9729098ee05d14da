"""The base of every published class: frozen, tolerant of fields it does not know yet."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict


class Wire(BaseModel):
    """What consumers read. Unknown fields are ignored, so that producers may add some within a version."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)


class Body(Wire):
    """The `data` of one event. The class name ends in its version; which kinds use it is told by the registry."""

    def upcast(self) -> Body:
        """This body as the next version has it; every class but the newest of its kinds defines it."""
        raise TypeError(f"{type(self).__name__} has no newer version")


def _no_nan(value: object) -> object:
    if isinstance(value, float) and value != value:
        raise ValueError("not a number")
    return value


Degrees = Annotated[float, BeforeValidator(_no_nan)]
Moment = AwareDatetime

__all__ = ["Body", "Degrees", "Moment", "Wire"]
