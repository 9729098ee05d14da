"""Who may be shown a reporter in clear: never the handlers; always for a reason; each look told to the reporter.

The street's own people ask through dispatch, which has let them see the case; here their posts are judged. Who took a
report for somebody else is the one that person spoke to, and may look up what he himself wrote down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from schemas.api.reporter import RevealReason
from services.chassis.audit import Audited, Entry, record
from services.chassis.auth.person import Person
from services.chassis.auth.rights import RIGHTS, Right
from services.chassis.db import Database, grid_now
from services.chassis.ids import IdSource
from services.governance.cycle import Role
from services.intake.store import vault
from services.intake.store.vault import Reporting, Reveal
from services.intake.usecases.identity import Identity, Sealer
from services.intake.usecases.refusal import Refusal

_REASONS: Final[Mapping[Role, frozenset[RevealReason]]] = {
    Role.INTAKE_CLERK: frozenset({RevealReason.NEED_TO_CALL, RevealReason.DANGER}),
    Role.DUTY_CHIEF: frozenset({RevealReason.NEED_TO_CALL, RevealReason.DANGER, RevealReason.VISIT}),
    Role.VERIFIER: frozenset({RevealReason.VISIT}),
}
"""Which post may look for which reason; the posts are those of the right `reveal`."""


def post_for(person: Person, report: Reporting, reason: RevealReason, *, vouched: bool) -> Role:
    """The post under which this person may look. Raises Refusal: not found, or not permitted for that reason."""
    own, posts = report.account == person.account_id, person.roles - {Role.REPORTER}
    if not own and not vouched:
        raise Refusal("not_found", status=404)
    if reason is RevealReason.ON_BEHALF and own and posts:
        return min(posts)
    for role in RIGHTS[Right.REVEAL].roles if vouched else ():
        if role in posts and reason in _REASONS[role]:
            return role
    raise Refusal("not_permitted", "reason", status=403)


async def reveal(
    db: Database, ids: IdSource, sealer: Sealer, person: Person, report_id: UUID, reason: RevealReason, *, vouched: bool
) -> tuple[Identity, Reveal]:
    """The identity in clear, and the look that is on record by then."""
    async with db.transaction() as tx:
        report = await vault.reporting(tx, report_id)
        if report is None:
            raise Refusal("not_found", status=404)
        role = post_for(person, report, reason, vouched=vouched)
        kept = await vault.identity_of(tx, report_id)
        if kept is None:
            raise Refusal("identity_not_kept", status=404)
        shown = sealer.identity_of(kept.sealed, report_id)
        look = Reveal(ids.uuid7(), report_id, person.account_id, role.value, reason.value, await grid_now(tx))
        await vault.note_reveal(tx, look)
        told = Entry(Audited.IDENTITY_REVEALED, person.account_id, str(report_id), reason=reason.value)
        await record(tx, replace(told, details={"role": role.value}))
    return shown, look
