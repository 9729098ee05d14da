"""Secrets of partners: made here, shown once, kept sealed."""

from __future__ import annotations

import secrets
from datetime import datetime

from services.chassis.signing import encode_secret
from services.intake.store.partners import Partner
from services.intake.usecases.identity import Sealer

SECRET_BYTES = 32


def new_secret(name: str, sealer: Sealer) -> tuple[str, bytes]:
    """As the partner writes it, and as it is kept."""
    raw = secrets.token_bytes(SECRET_BYTES)
    return encode_secret(raw), sealer.box.seal(raw, _about(name))


def secrets_of(partner: Partner, sealer: Sealer, now: datetime) -> list[bytes]:
    """Those that are good now, the newest first. Raises Unopened where the key they were sealed with is gone."""
    kept = [partner.secret]
    if partner.previous_secret is not None and partner.previous_until is not None and now < partner.previous_until:
        kept.append(partner.previous_secret)
    return [sealer.box.open(sealed, _about(partner.name)) for sealed in kept]


def _about(name: str) -> bytes:
    return b"intake/partner/" + name.encode()
