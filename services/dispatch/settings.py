"""What dispatch reads from its environment beside the shared groups."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.chassis.settings import REPOSITORY, SettingsGroup


class DispatchSettings(SettingsGroup):
    """Addresses of the other two services, where evidence lies, and the sizes of the live feed."""

    intake_url: str = Field(default="http://127.0.0.1:8001", validation_alias="GRID_INTAKE_URL")
    escalation_url: str = Field(default="http://127.0.0.1:8003", validation_alias="GRID_ESCALATION_URL")
    evidence_dir: Path | None = Field(default=None, validation_alias="GRID_EVIDENCE_DIR")
    sample_dir: Path = Field(default=REPOSITORY / "deploy" / "sample" / "fengcheng", validation_alias="GRID_SAMPLE_DIR")
    feed_tick_s: float = Field(default=0.1, gt=0, validation_alias="GRID_FEED_TICK_S")
    feed_rights_s: float = Field(default=10.0, gt=0, le=20, validation_alias="GRID_FEED_RIGHTS_S")
    feed_backlog: int = Field(default=1000, gt=0, validation_alias="GRID_FEED_BACKLOG")
    feed_window_h: float = Field(default=24.0, gt=0, validation_alias="GRID_FEED_WINDOW_H")
