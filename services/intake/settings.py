"""What can be set for intake alone; everything shared is in `chassis.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.chassis.asgi.pace import Budget, Budgets
from services.chassis.settings import SettingsGroup

HERE = Path(__file__).resolve().parent


def _rate(default: int, variable: str, description: str) -> int:
    made: int = Field(default=default, ge=0, le=10_000_000, validation_alias=variable, description=description)
    return made


class PaceSettings(SettingsGroup):
    """How fast one caller may go on, per process of intake. The burst of an account takes in a phone that was away for
    days: fifty reports with all their photos."""

    account_per_minute: int = _rate(
        120, "GRID_INTAKE_ACCOUNT_PER_MINUTE", "Reports and other writes of one account a minute; 0: no limit."
    )
    account_burst: int = _rate(240, "GRID_INTAKE_ACCOUNT_BURST", "Writes of one account that may come at once.")
    account_photos_per_minute: int = _rate(
        600, "GRID_INTAKE_ACCOUNT_PHOTOS_PER_MINUTE", "Pieces of photos of one account a minute; 0: no limit."
    )
    account_photos_burst: int = _rate(
        2400, "GRID_INTAKE_ACCOUNT_PHOTOS_BURST", "Pieces of photos of one account that may come at once."
    )
    address_per_minute: int = _rate(
        3000,
        "GRID_INTAKE_ADDRESS_PER_MINUTE",
        "Writes from one network address a minute, whoever makes them; a whole street may sit behind one. 0: no limit.",
    )
    address_burst: int = _rate(6000, "GRID_INTAKE_ADDRESS_BURST", "Writes from one address that may come at once.")
    address_photos_per_minute: int = _rate(
        12_000, "GRID_INTAKE_ADDRESS_PHOTOS_PER_MINUTE", "Pieces of photos from one address a minute; 0: no limit."
    )
    address_photos_burst: int = _rate(
        24_000, "GRID_INTAKE_ADDRESS_PHOTOS_BURST", "Pieces of photos from one address that may come at once."
    )
    pages_per_minute: int = _rate(
        300, "GRID_INTAKE_PAGES_PER_MINUTE", "Looks at public progress pages from one address a minute; 0: no limit."
    )
    pages_burst: int = _rate(600, "GRID_INTAKE_PAGES_BURST", "Looks from one address that may come at once.")

    @property
    def budgets(self) -> Budgets:
        """The same as the edge counts by."""
        return Budgets(
            account=Budget(self.account_per_minute, self.account_burst),
            account_photos=Budget(self.account_photos_per_minute, self.account_photos_burst),
            address=Budget(self.address_per_minute, self.address_burst),
            address_photos=Budget(self.address_photos_per_minute, self.address_photos_burst),
            pages=Budget(self.pages_per_minute, self.pages_burst),
        )


class IntakeSettings(SettingsGroup):
    """Photos, the built phone page, and where dispatch is."""

    dispatch_url: str = Field(
        default="http://127.0.0.1:8002",
        validation_alias="GRID_DISPATCH_URL",
        description="Where intake reaches dispatch for what was written to reporters.",
    )
    photo_hands: int = Field(
        default=1,
        ge=1,
        le=16,
        validation_alias="GRID_INTAKE_PHOTO_HANDS",
        description="Pictures cleaned at the same time.",
    )
    vault_keys: Path | None = Field(
        default=None,
        validation_alias="GRID_INTAKE_VAULT_KEYS",
        description="Folder of the keys (*.key, 32 random bytes each) that encrypt raw words and identities; "
        "the last by name seals. Default: secrets/vault under GRID_HOME, the first key made once.",
    )
    open311_read_key: bool = Field(
        default=False,
        validation_alias="GRID_OPEN311_READ_KEY",
        description="Reading requests through Open311 needs an `api_key` too; the standard asks for none.",
    )
    photo_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        validation_alias="GRID_INTAKE_PHOTO_DAYS",
        description="Days for which a picture that is sent again with another report is known again.",
    )
    web_root: Path = Field(
        default=HERE / "static" / "m",
        validation_alias="GRID_INTAKE_WEB_ROOT",
        description="Folder of the built phone page.",
    )
