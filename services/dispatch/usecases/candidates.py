"""What a person compares a case with before merging it."""

from __future__ import annotations

from schemas.api.dispatch import CandidateOut, CandidatesOut, CategoryNameOut
from schemas.labels import Labels
from services.chassis.directory import DirectoryCache
from services.dispatch.store import Tx
from services.dispatch.store.audience import scope_of
from services.dispatch.store.candidates import Candidate, candidates
from services.dispatch.store.detail import Found
from services.dispatch.usecases.words import Words
from services.governance.acts import Actor
from services.governance.case import Sight
from services.governance.rulebook import Rulebook


async def list_candidates(tx: Tx, found: Found, actor: Actor, cache: DirectoryCache, lang: str) -> CandidatesOut:
    """Nothing beside a case of which the caller may know the class alone. Raises UnknownRulebook."""
    if found.sight is not Sight.FULL:
        return CandidatesOut(items=())
    words, book = Words(Labels(lang), cache.current()), await cache.rulebook(found.case.rulebook)
    near = await candidates(tx, found.case, scope_of(actor), book.settings.reopen_days)
    return CandidatesOut(items=tuple(_out(one, words, book) for one in near))


def _out(one: Candidate, words: Words, book: Rulebook) -> CandidateOut:
    known = book.categories.get(one.category)
    return CandidateOut(
        case_no=one.case_no,
        state_label=words.state(one.state, one.closed_as),
        category=CategoryNameOut(code=one.category, name=known.name if known else one.category),
        summary=one.summary,
        address=one.address,
        reports=one.reports,
        opened_at=one.opened_at,
        distance_m=one.distance_m,
    )
