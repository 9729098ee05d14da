"""What escalation hears: the case topic. Timers and deliveries follow it; nothing is decided here."""

from __future__ import annotations

from schemas.events.case import CaseFactV1
from schemas.topics import CASE
from services.chassis.directory import DirectoryCache
from services.chassis.ids import IdSource
from services.escalation.usecases.follow import CaseFollower

GROUP = "grid-escalation"
TOPICS = (CASE.name,)


def follower(cache: DirectoryCache, ids: IdSource) -> CaseFollower:
    """The handler of this group."""

    async def category_name(fact: CaseFactV1) -> str:
        """The street's word for the class; its code where the rulebook has no such class (an imported scheme)."""
        category = fact.standing.category
        if category is None:
            return ""
        known = (await cache.rulebook(fact.standing.rulebook)).categories.get(category.code)
        return category.code if known is None else known.name

    return CaseFollower(ids, category_name)
