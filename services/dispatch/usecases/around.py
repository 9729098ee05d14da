"""What the directory says about a case now: who would verify it, whether its grid has a branch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from services.chassis.directory import Directory
from services.governance.acts import ActorRef, Around, Neighbour, Spot
from services.governance.case import Case, had_check, next_point
from services.governance.case.mediation import mediators
from services.governance.cycle import Role, Urgency
from services.governance.rulebook import Checker, Rulebook

_DANGER = frozenset({Urgency.CRITICAL, Urgency.URGENT})


def around_report(directory: Directory, spot: Spot, near: Sequence[Neighbour], before: int = 0) -> Around:
    """For a report that opens a case; `before`: how often its like has been there already."""
    return Around(near=tuple(near), grid_has_branch=_has_branch(directory, spot), before=before)


def around_case(
    directory: Directory,
    case: Case,
    now: datetime,
    near: Sequence[Neighbour] = (),
    cell: str | None = None,
    *,
    book: Rulebook,
) -> Around:
    """For a command to an open case; `cell` is the place that it names, `book` the version that the case keeps."""
    return Around(
        near=tuple(near),
        grid_has_branch=_has_branch(directory, case.spot),
        verifier=verifier_of(directory, case, now, book),
        place=_spot_of(directory, cell) if cell else None,
        nobody=nobody_on(directory, case, now) if next_point(case, now) is not None else frozenset(),
    )


def nobody_on(directory: Directory, case: Case, now: datetime) -> frozenset[str]:
    """Posts of a ladder that nobody holds now where the case lies; asked where a point of a clock has passed."""
    spot, lead = case.spot, case.lead
    roles = {
        "branch_secretary": (Role.GRID_SECRETARY, spot.grid),
        "community_secretary": (Role.COMMUNITY_SECRETARY, spot.community),
        "duty_chief": (Role.DUTY_CHIEF, spot.street),
        "dispatcher": (Role.DISPATCHER, spot.street),
        "street_leader": (Role.STREET_LEADER, spot.street),
        "another_visitor": (Role.VERIFIER, spot.street),
        "district_duty": (Role.DISTRICT, spot.street),
    }
    held = {post for post, (role, area) in roles.items() if area and directory.people_with(role, now, area=area)}
    held |= {
        duty
        for duty in _LEADERS
        if any(directory.on_roster(area, duty, now) for area in (spot.community, spot.street) if area)
    }
    if lead is None or directory.people_with(Role.HANDLING_UNIT, now, area=spot.street, unit=lead):
        held.add("unit_head")
    return frozenset({*roles, *_LEADERS, "unit_head"} - held)


_LEADERS = ("liaison_leader", "leader_in_charge", "duty_leader")


def verifier_of(directory: Directory, case: Case, now: datetime, book: Rulebook) -> ActorRef | None:
    """Who checks the work, asked in the rulebook's order; never a handler, who filed it, or who has had this check.
    Restricted and dangerous cases have an order of their own."""
    strict = case.restricted or case.urgency in _DANGER
    free = _Free(directory, case, now)
    asked = (_CHECKERS[each](free) for each in (book.urgent_verifiers if strict else book.verifiers))
    return next((found for found in asked if found is not None), None)


class _Free:
    """Finds people who have had nothing to do with this case but to report it."""

    def __init__(self, directory: Directory, case: Case, now: datetime) -> None:
        self._directory, self._case, self._now = directory, case, now
        self._taken = case.handlers | case.clerks | had_check(case) | set(mediators(case))

    def finder(self) -> ActorRef | None:
        """The member of staff who reported it."""
        account = self._case.reporter
        if account is None or account in self._taken:
            return None
        field_posts = (Role.GRID_WORKER, Role.GRID_SECRETARY)
        post = next((p for p in self._directory.posts_of(account, self._now) if p.role in field_posts), None)
        return ActorRef(account, post.role) if post is not None else None

    def grid_worker(self) -> ActorRef | None:
        grid = self._case.spot.grid
        return self._first(Role.GRID_WORKER, [grid] if grid else [])

    def neighbour(self) -> ActorRef | None:
        spot, grids = self._case.spot, self._directory.grids.values()
        beside = sorted(g.code for g in grids if g.community == spot.community and g.code != spot.grid)
        return self._first(Role.GRID_WORKER, beside)

    def community(self) -> ActorRef | None:
        community = self._case.spot.community
        return self._first(Role.COMMUNITY_SECRETARY, [community] if community else [])

    def verifier(self) -> ActorRef | None:
        return self._first(Role.VERIFIER, [self._case.spot.community or self._case.spot.street])

    def _first(self, role: Role, areas: Iterable[str]) -> ActorRef | None:
        for area in areas:
            for person in self._directory.people_with(role, self._now, area=area):
                if person.account_id not in self._taken:
                    return ActorRef(person.account_id, role)
        return None


_CHECKERS: Mapping[Checker, Callable[[_Free], ActorRef | None]] = {
    Checker.FINDER: _Free.finder,
    Checker.GRID_WORKER: _Free.grid_worker,
    Checker.NEIGHBOUR_GRID: _Free.neighbour,
    Checker.COMMUNITY: _Free.community,
    Checker.VERIFIER: _Free.verifier,
}


def _spot_of(directory: Directory, code: str) -> Spot | None:
    """A cell as a place; None where the directory has no such cell."""
    cell = directory.cells.get(code)
    community = directory.communities.get(cell.community) if cell is not None else None
    if cell is None or community is None:
        return None
    return Spot(community.street, cell.community, cell.grid, cell.code)


def _has_branch(directory: Directory, spot: Spot) -> bool:
    return spot.grid is not None and directory.branch_of(spot.grid) is not None
