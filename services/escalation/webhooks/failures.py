"""Why an attempt failed, in the few classes by which people look for deliveries and send them again."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

TOO_MANY: Final = 429
OTHER_DIALECT: Final = "other_dialect"
"""The error of a message that was written in a dialect which its endpoint speaks no more."""


class Failure(StrEnum):
    """Classes of failures; the words are labels under `failure.`."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    ADDRESS = "address"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    THROTTLED = "throttled"
    RECEIVER_ERROR = "receiver_error"
    REJECTED = "rejected"
    SECRET = "secret"  # noqa: S105 - a class of failures
    DIALECT = "dialect"


_OF_ERROR: Final = {
    "timeout": Failure.TIMEOUT,
    "tls": Failure.TLS,
    "refused_address": Failure.ADDRESS,
    "secret_unreadable": Failure.SECRET,
    OTHER_DIALECT: Failure.DIALECT,
    "message_not_made": Failure.DIALECT,
}


def failure_of(status: int | None, error: str | None) -> Failure:
    """The class of an attempt that was not accepted.

    `status` is the answer's; with a 2xx the receiver refused inside the body. `error` names what happened without one.
    """
    if status is None:
        return _OF_ERROR.get(error or "", Failure.UNREACHABLE)
    if status < 300:
        return Failure.REJECTED
    if status < 400:
        return Failure.REDIRECTED
    if status == TOO_MANY:
        return Failure.THROTTLED
    return Failure.REFUSED if status < 500 else Failure.RECEIVER_ERROR
