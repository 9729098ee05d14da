"""How long what is kept. `docs/what-is-kept.md` says why; what is not listed is kept for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from services.chassis.settings import SettingsGroup

_LONGEST = 3650


def _days(default: int, least: int, variable: str, description: str) -> int:
    made: int = Field(default=default, ge=least, le=_LONGEST, validation_alias=variable, description=description)
    return made


class RetentionSettings(SettingsGroup):
    """Days after which housekeeping removes what has served its purpose."""

    every_s: int = Field(
        default=3600,
        ge=60,
        le=86_400,
        validation_alias="GRID_HOUSEKEEPING_S",
        description="Seconds between two rounds of housekeeping.",
    )
    batch: int = Field(
        default=500,
        ge=1,
        le=10_000,
        validation_alias="GRID_HOUSEKEEPING_BATCH",
        description="Rows removed in one transaction; between two of them live events go first.",
    )
    outbox: int = _days(
        30, 30, "GRID_KEEP_OUTBOX_DAYS", "Days an event stays in the outbox after its week, once every consumer has it."
    )
    inbox: int = _days(
        45, 45, "GRID_KEEP_INBOX_DAYS", "Days the inbox knows an event after its week, so that it works only once."
    )
    dead_letters: int = _days(90, 30, "GRID_KEEP_DEAD_LETTERS_DAYS", "Days a resolved dead letter is kept.")
    answers: int = _days(
        7, 1, "GRID_KEEP_ANSWERS_DAYS", "Days the answer to an Idempotency-Key is given again (reports: for ever)."
    )
    sessions: int = _days(1, 0, "GRID_KEEP_SESSIONS_DAYS", "Days a sign-in is kept after it ended.")
    links: int = _days(7, 0, "GRID_KEEP_LINKS_DAYS", "Days a one-time link is kept after it ended.")
    throttle: int = _days(1, 1, "GRID_KEEP_THROTTLE_DAYS", "Days a count of failed sign-ins is kept.")
    deliveries: int = _days(
        90, 7, "GRID_KEEP_DELIVERIES_DAYS", "Days a webhook delivery that has ended is kept and can be replayed."
    )
    attempts: int = _days(30, 1, "GRID_KEEP_ATTEMPTS_DAYS", "Days single attempts of a delivery that ended are kept.")
    receipts: int = _days(90, 7, "GRID_KEEP_RECEIPTS_DAYS", "Days a call-back of the platform is known again.")
    notices: int = _days(
        90, 7, "GRID_KEEP_NOTICES_DAYS", "Days a person finds what he was told, and how it was pushed, after that day."
    )
    identities: int = _days(
        90, 1, "GRID_KEEP_IDENTITIES_DAYS", "Days who reported is kept after the case was closed; two years at most."
    )
    raw_words: int = _days(
        730, 30, "GRID_KEEP_RAW_WORDS_DAYS", "Days the raw words of a report are kept after the case was closed."
    )
    loose_files: int = _days(
        1, 1, "GRID_KEEP_LOOSE_FILES_DAYS", "Days a photo or evidence file that no row names is kept."
    )
    uploads: int = _days(30, 1, "GRID_KEEP_UPLOADS_DAYS", "Days an unfinished upload waits to be gone on with.")
    unused_evidence: int = _days(
        7, 1, "GRID_KEEP_UNUSED_EVIDENCE_DAYS", "Days a piece of evidence that no act names is kept."
    )

    @model_validator(mode="after")
    def _inbox_outlives_outbox(self) -> Self:
        if self.inbox < self.outbox + 14:
            raise ValueError(
                "GRID_KEEP_INBOX_DAYS must exceed GRID_KEEP_OUTBOX_DAYS by 14: what may be sent again must be known"
            )
        if self.deliveries < self.attempts:
            raise ValueError("GRID_KEEP_DELIVERIES_DAYS must not be less than GRID_KEEP_ATTEMPTS_DAYS")
        return self


def days(number: int) -> timedelta:
    """A setting as a span of time."""
    return timedelta(days=number)
