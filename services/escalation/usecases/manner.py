"""How an endpoint is to be spoken to: what was asked for, checked against what the dialect can do."""

from __future__ import annotations

from schemas.api.escalation import WebhookIn, WebhookPatchIn
from services.chassis.coordinates import Crs
from services.escalation.dialects.base import Auth, Dialect
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
    auth = _proof(_spoken(wanted.dialect), wanted.auth)
    manner = Manner(wanted.dialect, auth, wanted.app_key, Crs(wanted.crs), wanted.partner)
    _check_app_key(manner)
    _check_secret(manner, wanted.secret, needed=True)
    return manner


def changed_manner(before: Manner, wanted: WebhookPatchIn) -> Manner:
    """The manner after a change; what is left out stays where the dialect has it. Raises WrongMannerError."""
    spoken = _spoken(wanted.dialect or before.dialect)
    kept = before.auth if before.auth in spoken.auths else None
    manner = Manner(
        dialect=spoken.name,
        auth=_proof(spoken, wanted.auth or kept),
        app_key=before.app_key if wanted.app_key is None else wanted.app_key,
        crs=before.crs if wanted.crs is None else Crs(wanted.crs),
        partner=before.partner if wanted.partner is None else wanted.partner or None,
    )
    _check_app_key(manner)
    _check_secret(manner, wanted.secret, needed=manner.auth is not before.auth)
    return manner


def check_partner(partner: str | None, known: frozenset[str]) -> None:
    """Raises WrongMannerError for a partner that hands nothing over: such a receiver would never hear of a case."""
    if partner is not None and partner not in known:
        raise WrongMannerError("partner", "unknown_partner")


def check_made_here(manner: Manner) -> None:
    """Raises WrongMannerError where the other side hands secrets out."""
    if manner.auth is not Auth.STANDARD_WEBHOOKS:
        raise WrongMannerError("secret", "secret_is_given")


def _spoken(name: str) -> Dialect:
    spoken = dialects().get(name)
    if spoken is None:
        raise WrongMannerError("dialect", "unknown_dialect")
    return spoken


def _proof(spoken: Dialect, wanted: str | None) -> Auth:
    """The proof asked for, without one the dialect's usual."""
    auth = next((one for one in spoken.auths if wanted in (None, one.value)), None)
    if auth is None:
        raise WrongMannerError("auth", "unfit_auth")
    return auth


def _check_app_key(manner: Manner) -> None:
    if manner.auth is Auth.APP_KEY and not manner.app_key:
        raise WrongMannerError("app_key", "app_key_missing")


def _check_secret(manner: Manner, given: str | None, *, needed: bool) -> None:
    """A secret that is made here is exchanged, never told."""
    if manner.auth is Auth.STANDARD_WEBHOOKS:
        if given is not None:
            raise WrongMannerError("secret", "secret_is_made_here")
    elif needed and given is None:
        raise WrongMannerError("secret", "secret_missing")
