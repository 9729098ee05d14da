"""What is recorded. Members are never deleted: old rows must stay readable. Words: labels under `audit.`."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Whether it happened."""

    DONE = "done"
    REFUSED = "refused"


class Audited(StrEnum):
    """Kinds of rows."""

    SIGNED_IN = "session.opened"
    SIGN_IN_REFUSED = "session.refused"
    SIGN_IN_THROTTLED = "session.throttled"
    SIGNED_OUT = "session.closed"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_DISABLED = "account.disabled"
    PASSWORD_SET = "account.password_set"  # noqa: S105 - a kind of row
    LINK_CREATED = "link.created"
    TOKEN_CREATED = "token.created"  # noqa: S105 - a kind of row
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - a kind of row
    DIRECTORY_LOADED = "directory.loaded"
    CALENDAR_LOADED = "calendar.loaded"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - a kind of row
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REPLAYED = "webhook.replayed"
    DELIVERY_REPLAYED = "delivery.replayed"
    ROBOT_ADDED = "robot.added"
    ROBOT_CHANGED = "robot.changed"
    ROBOT_REMOVED = "robot.removed"
    ROBOT_TESTED = "robot.tested"
    NOTICE_SENT_AGAIN = "notice.sent_again"
    DELIVERY_SET_ASIDE = "delivery.set_aside"
    ADDRESS_ALLOWED = "webhook.address_allowed"
    ADDRESS_FORBIDDEN = "webhook.address_forbidden"
    RECEIPT_MAPPED = "receipt.mapped"
    RECEIPT_SET_ASIDE = "receipt.set_aside"
    LETTER_PUT_BACK = "letter.put_back"
    LETTER_GIVEN_UP = "letter.given_up"
    KEY_PASSED_OVER = "key.passed_over"
    EVENT_DISCARDED = "event.discarded"
    EVENTS_SENT_AGAIN = "events.sent_again"
    CASE_ACTED = "case.acted"
    CASES_EXPORTED = "cases.exported"
    MEDIATION_NOTED = "mediation.noted"
    IDENTITY_GIVEN = "identity.given"
    IDENTITY_FORGOTTEN = "identity.forgotten"
    IDENTITY_REVEALED = "identity.revealed"
    PARTNER_ADDED = "partner.added"
    PARTNER_SECRET_ROTATED = "partner.secret_rotated"  # noqa: S105 - a kind of row
    PARTNER_REMOVED = "partner.removed"
    POST_LENT = "post.lent"
    POST_TAKEN_BACK = "post.taken_back"
    ACCESS_DENIED = "access.denied"
