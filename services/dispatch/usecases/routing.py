"""Why this unit: the rulebook's choice as the case page tells it, in words."""

from __future__ import annotations

from schemas.api.dispatch import RouteReasonOut, RoutingOut
from schemas.route_words import RouteWords
from services.dispatch.usecases.words import Words
from services.governance.acts import Classified
from services.governance.case import Case
from services.governance.case.classify import matter_of
from services.governance.rulebook import Rulebook


def routing_of(case: Case, book: Rulebook, words: Words) -> RoutingOut | None:
    """None for a case that nobody has routed. `book` is the version that the case keeps."""
    routed = case.routed
    if routed is None:
        return None
    told = RouteWords(book, words.labels, words.place)
    matter = matter_of(case, Classified(case.category, case.condition, case.urgency, case.restricted, False), book)
    line = next((each for each in book.catalogue if each.id == routed.line), None)
    return RoutingOut(
        lead=routed.lead,
        co_units=routed.co_units,
        line=routed.line,
        basis=routed.basis,
        unmatched=routed.unmatched,
        rulebook_lead=routed.rulebook_lead,
        names={
            code: words.place(code)
            for code in (routed.lead, routed.rulebook_lead, *routed.co_units)
            if code is not None
        },
        rulebook=routed.rulebook or book.version,
        edition=book.edition,
        line_basis=line.basis if line else "",
        matched=routed.matched,
        because=told.because(routed),
        reasons=tuple(
            RouteReasonOut(line=x.line, unit=x.unit, basis=x.basis, why=x.why) for x in told.not_taken(routed, matter)
        ),
    )
