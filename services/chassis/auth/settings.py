"""How long a sign-in lasts and how often a wrong password may be tried."""

from __future__ import annotations

from pydantic import Field

from services.chassis.settings import SettingsGroup

HOUR = 3600


class AuthSettings(SettingsGroup):
    """Limits of sessions and sign-in. Times in seconds."""

    session_s: int = Field(
        default=7 * 24 * HOUR, ge=60, validation_alias="GRID_SESSION_SECONDS", description="Longest life of a sign-in."
    )
    idle_s: int = Field(
        default=24 * HOUR,
        ge=60,
        validation_alias="GRID_SESSION_IDLE_SECONDS",
        description="A sign-in by password not used for so long ends.",
    )
    link_session_s: int = Field(
        default=30 * 24 * HOUR,
        ge=60,
        validation_alias="GRID_LINK_SESSION_SECONDS",
        description="Life of a sign-in by one-time link or QR, used or not.",
    )
    throttle_window_s: int = Field(
        default=900,
        ge=1,
        validation_alias="GRID_SIGN_IN_WINDOW_SECONDS",
        description="Failed tries are counted within this time.",
    )
    tries_per_account: int = Field(
        default=10,
        ge=1,
        validation_alias="GRID_SIGN_IN_TRIES_PER_ACCOUNT",
        description="Failed tries per account within the window.",
    )
    tries_per_address: int = Field(
        default=100,
        ge=1,
        validation_alias="GRID_SIGN_IN_TRIES_PER_ADDRESS",
        description="Failed tries per network address within the window; a whole office may sit behind one.",
    )

    def life_s(self, *, by_link: bool) -> int:
        """How long a sign-in lasts, in seconds."""
        return self.link_session_s if by_link else self.session_s
