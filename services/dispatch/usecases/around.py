"""What the directory says about a case now: who would verify it, whether its grid has a branch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.chassis.directory import Directory
from services.governance.acts import ActorRef, Around, Neighbour, Spot
from services.governance.case import Case
from services.governance.cycle import Role, Urgency

_DANGER = frozenset({Urgency.CRITICAL, Urgency.URGENT})


def around_report(directory: Directory, spot: Spot, near: Sequence[Neighbour], before: int = 0) -> Around:
    """For a report that opens a case; `before`: how often its like has been there already."""
    return Around(near=tuple(near), grid_has_branch=_has_branch(directory, spot), before=before)


def around_case(
    directory: Directory, case: Case, now: datetime, near: Sequence[Neighbour] = (), cell: str | None = None
) -> Around:
    """For a command to an open case; `cell` is the place that it names."""
    return Around(
        near=tuple(near),
        grid_has_branch=_has_branch(directory, case.spot),
        verifier=verifier_of(directory, case, now),
        place=_spot_of(directory, cell) if cell else None,
    )


def verifier_of(directory: Directory, case: Case, now: datetime) -> ActorRef | None:
    """Who checks the work: the finder, a worker of the grid, one of a neighbour grid, the community; never a handler.

    Restricted and dangerous cases go to a verifier by post.
    """
    spot, free = case.spot, _Free(case)
    if case.restricted or case.urgency in _DANGER:
        return free.first(directory, Role.VERIFIER, now, [spot.community or spot.street])
    if case.reporter is not None:
        found = free.by_account(directory, case.reporter, now)
        if found is not None:
            return found
    grids = [g.code for g in directory.grids.values() if g.community == spot.community and g.code != spot.grid]
    own = [spot.grid] if spot.grid else []
    return (
        free.first(directory, Role.GRID_WORKER, now, own)
        or free.first(directory, Role.GRID_WORKER, now, sorted(grids))
        or free.first(directory, Role.COMMUNITY_SECRETARY, now, [spot.community] if spot.community else [])
        or free.first(directory, Role.VERIFIER, now, [spot.street])
    )


class _Free:
    """Finds people who did not handle this case."""

    def __init__(self, case: Case) -> None:
        self._taken = case.handlers

    def by_account(self, directory: Directory, account: str, now: datetime) -> ActorRef | None:
        field_posts = (Role.GRID_WORKER, Role.GRID_SECRETARY)
        post = next((p for p in directory.posts_of(account, now) if p.role in field_posts), None)
        return ActorRef(account, post.role) if post is not None and account not in self._taken else None

    def first(self, directory: Directory, role: Role, now: datetime, areas: Iterable[str]) -> ActorRef | None:
        for area in areas:
            for person in directory.people_with(role, now, area=area):
                if person.account_id not in self._taken:
                    return ActorRef(person.account_id, role)
        return None


def _spot_of(directory: Directory, code: str) -> Spot | None:
    """A cell as a place; None where the directory has no such cell."""
    cell = directory.cells.get(code)
    community = directory.communities.get(cell.community) if cell is not None else None
    if cell is None or community is None:
        return None
    return Spot(community.street, cell.community, cell.grid, cell.code)


def _has_branch(directory: Directory, spot: Spot) -> bool:
    return spot.grid is not None and directory.branch_of(spot.grid) is not None
