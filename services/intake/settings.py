"""What can be set for intake alone; everything shared is in `chassis.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.chassis.settings import SettingsGroup

HERE = Path(__file__).resolve().parent


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
