"""Bodies of dispatch: photos of a case, evidence, and what a photo tells beside what it shows."""

from __future__ import annotations

from schemas.api.base import Moment, Out


class CasePhotoOut(Out):
    """A photo by address; `url` is below this service."""

    id: str
    url: str


class EvidenceOut(Out):
    """Evidence is stored; the action may name it now."""

    id: str
    sha256: str
    bytes: int
    mime: str
    url: str


class SamePhotoOut(Out):
    """Another case in which the same picture was shown."""

    case_no: str
    at: Moment


class PhotoHintOut(Out):
    """What a photo tells beside what it shows: a hint for people. `metres_from_pin`: from where it was taken to the
    report's pin. `elsewhere`: the same picture in so many reports more, of which the caller may not read the case."""

    report_id: str
    id: str
    taken_at: Moment | None = None
    metres_from_pin: int | None = None
    same: tuple[SamePhotoOut, ...] = ()
    elsewhere: int = 0


class PhotoHintsOut(Out):
    """The stored photos of a case's reports."""

    photos: tuple[PhotoHintOut, ...] = ()
