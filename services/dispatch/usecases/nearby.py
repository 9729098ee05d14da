"""What stands around a case, in words."""

from __future__ import annotations

from schemas.api.dispatch import DueOut, NearbyOut, NearbyPageOut
from services.chassis.houses import without_house_numbers
from services.dispatch.store import Tx
from services.dispatch.store.audience import Scope
from services.dispatch.store.nearby import Nearby, nearby
from services.dispatch.usecases.words import Words
from services.governance.case import Case
from services.governance.rulebook import Rulebook


async def nearby_of(tx: Tx, case: Case, scope: Scope, book: Rulebook, words: Words) -> NearbyPageOut:
    """Empty for a case without a place."""
    found = await nearby(tx, case, scope, book.categories, book.settings.reopen_days)
    return NearbyPageOut(cases=tuple(_out(one, case, book, words) for one in found))


def _out(one: Nearby, case: Case, book: Rulebook, words: Words) -> NearbyOut:
    known = book.categories.get(one.category or "")
    title = one.summary or one.address
    return NearbyOut(
        case_no=one.case_no,
        title=title if one.handled else without_house_numbers(title),
        category=known.name if known else one.category or "",
        state=one.state,
        state_label=words.state(one.state, one.closed_as),
        urgency=one.urgency,
        reports=one.reports,
        opened_at=one.opened_at,
        distance_m=one.distance_m,
        lng=one.lng,
        lat=one.lat,
        same_class=case.category is not None and case.category.code == one.category,
        open=one.live,
        due=DueOut.model_validate(one.due) if one.due is not None else None,
    )
