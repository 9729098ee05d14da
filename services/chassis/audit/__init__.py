"""The record of who did what: signing in and out, accounts, endpoints, exports, refusals, acts on cases.

One table for all services, `identity.audit_log`, to which rows are only ever added (the roles have no other right and
a trigger refuses it to anybody); each row carries the hash of the one before it, so that what was changed behind the
database's back is found by `grid audit verify`. A row is written in the transaction of what it tells of.
"""

from services.chassis.audit.actions import Audited, Outcome
from services.chassis.audit.record import Entry, by_hand, record
from services.chassis.audit.where import came_from, note_origin

__all__ = ["Audited", "Entry", "Outcome", "by_hand", "came_from", "note_origin", "record"]
