"""Who reports, as he says himself: kept in the vault, sealed, apart from the matter; no form asks for it first."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal
from uuid import UUID

import orjson

from services.chassis.strongbox import Strongbox, strongbox
from services.intake.settings import IntakeSettings

Contact = Literal["none", "phone", "email"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Name, number and address as given; '' where not. `contact`: how, if at all, he wishes to be spoken to."""

    name: str = ""
    phone: str = ""
    email: str = ""
    contact: Contact = "none"

    def __bool__(self) -> bool:
        return bool(self.name or self.phone or self.email)


@dataclass(frozen=True, slots=True)
class Sealer:
    """What the vault's two tables hold. Each kind of row is sealed under words of its own, about its own report."""

    box: Strongbox

    def identity(self, identity: Identity, report_id: UUID) -> bytes:
        return self.box.seal(orjson.dumps(asdict(identity)), _about("identity", report_id))

    def identity_of(self, sealed: bytes, report_id: UUID) -> Identity:
        """Raises Unopened."""
        return Identity(**orjson.loads(self.box.open(sealed, _about("identity", report_id))))

    def words(self, text: str, place: str, note: str, report_id: UUID) -> bytes:
        return self.box.seal(orjson.dumps([text, place, note]), _about("words", report_id))

    def words_of(self, sealed: bytes, report_id: UUID) -> tuple[str, str, str]:
        """Text, place and note as they were typed. Raises Unopened."""
        text, place, note = orjson.loads(self.box.open(sealed, _about("words", report_id)))
        return text, place, note

    def anew(self, kind: Literal["identity", "words"], sealed: bytes, report_id: UUID) -> bytes:
        """The same under the newest key. Raises Unopened."""
        about = _about(kind, report_id)
        return self.box.seal(self.box.open(sealed, about), about)


def vault_sealer(home: Path) -> Sealer:
    """The vault's keys as they lie on this machine; made where there are none. Raises ValueError for a broken one."""
    return Sealer(strongbox(IntakeSettings().vault_keys or home / "secrets" / "vault"))


def masked(identity: Identity) -> Identity:
    """As it may be shown without a reason: 王**, 138****5678, w***@example.cn."""
    name, phone = identity.name, identity.phone
    return replace(
        identity,
        name=name[:1] + "*" * max(0, len(name) - 1),
        phone=f"{phone[:3]}****{phone[-4:]}" if len(phone) > 8 else "*" * len(phone),
        email=_masked_mail(identity.email),
    )


def _masked_mail(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***{at}{domain}" if at else ""


def _about(kind: str, report_id: UUID) -> bytes:
    return f"intake/{kind}/".encode() + report_id.bytes
