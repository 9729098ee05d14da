"""Bodies of dispatch: who has a case open just now."""

from __future__ import annotations

from schemas.api.base import Code, Flagged, In, Out


class PresenceIn(In):
    """What is open at one window of the caller's. `acting`: he fills in a form of the case."""

    case_no: Code
    acting: Flagged = False


class PresentOut(Out):
    """One person; who has the case open at several windows is one."""

    account: str
    name: str
    acting: bool


class CasePresenceOut(Out):
    """Who has a case open; nobody: the last has left."""

    case_no: str
    people: tuple[PresentOut, ...] = ()


class PresenceOut(Out):
    """Every case that somebody has open and the caller may read; himself among the people."""

    cases: tuple[CasePresenceOut, ...]


class PresenceEvent(Out):
    """Of the live feed. `whole`: nothing else is open; else only what changed."""

    whole: bool
    cases: tuple[CasePresenceOut, ...]
