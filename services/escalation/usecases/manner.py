"""How a new endpoint is to be spoken to: what was asked for, checked against what the dialect can do."""

from __future__ import annotations

from schemas.api.escalation import WebhookIn
from services.chassis.coordinates import Crs
from services.escalation.dialects.base import Auth
from services.escalation.dialects.known import dialects
from services.escalation.store.endpoints import Manner


class WrongMannerError(ValueError):
    """It cannot be spoken to like that: the field, and the word for what is wrong with it."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code


def manner_of(wanted: WebhookIn) -> Manner:
    """The manner asked for. Raises WrongMannerError."""
    spoken = dialects().get(wanted.dialect)
    if spoken is None:
        raise WrongMannerError("dialect", "unknown_dialect")
    auth = next((one for one in spoken.auths if wanted.auth in (None, one.value)), None)
    if auth is None:
        raise WrongMannerError("auth", "unfit_auth")
    manner = Manner(wanted.dialect, auth, wanted.app_key, Crs(wanted.crs), wanted.partner)
    check_app_key(manner, wanted.app_key)
    if auth is not Auth.STANDARD_WEBHOOKS and wanted.secret is None:
        raise WrongMannerError("secret", "secret_missing")
    if auth is Auth.STANDARD_WEBHOOKS and wanted.secret is not None:
        raise WrongMannerError("secret", "secret_is_made_here")
    return manner


def check_app_key(manner: Manner, app_key: str) -> None:
    """Raises WrongMannerError where one is needed and none is given."""
    if manner.auth is Auth.APP_KEY and not app_key:
        raise WrongMannerError("app_key", "app_key_missing")


def check_given(manner: Manner) -> None:
    """Raises WrongMannerError where secrets are made here: those are exchanged, not told."""
    if manner.auth is Auth.STANDARD_WEBHOOKS:
        raise WrongMannerError("secret", "secret_is_made_here")


def check_made_here(manner: Manner) -> None:
    """Raises WrongMannerError where the other side hands secrets out."""
    if manner.auth is not Auth.STANDARD_WEBHOOKS:
        raise WrongMannerError("secret", "secret_is_given")
