"""What dispatch reads from its environment beside the shared groups."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.chassis.settings import REPOSITORY, SettingsGroup


class DispatchSettings(SettingsGroup):
    """Addresses of the other two services, where evidence lies, and the sizes of the live feed."""

    intake_url: str = Field(
        default="http://127.0.0.1:8001",
        validation_alias="GRID_INTAKE_URL",
        description="Where dispatch reaches intake.",
    )
    escalation_url: str = Field(
        default="http://127.0.0.1:8003",
        validation_alias="GRID_ESCALATION_URL",
        description="Where dispatch reaches escalation.",
    )
    evidence_dir: Path | None = Field(
        default=None,
        validation_alias="GRID_EVIDENCE_DIR",
        description="Folder of evidence; default: `media/evidence` under GRID_HOME.",
    )
    sample_dir: Path = Field(
        default=REPOSITORY / "deploy" / "sample" / "fengcheng",
        validation_alias="GRID_SAMPLE_DIR",
        description="Folder of the street that `sample` loads.",
    )
    feed_tick_s: float = Field(
        default=0.01,
        gt=0,
        validation_alias="GRID_FEED_TICK_S",
        description="Seconds between two looks for changes to show.",
    )
    feed_rights_s: float = Field(
        default=10.0,
        gt=0,
        le=20,
        validation_alias="GRID_FEED_RIGHTS_S",
        description="Seconds between two checks of what a listener may still see.",
    )
    feed_backlog: int = Field(
        default=1000,
        gt=0,
        validation_alias="GRID_FEED_BACKLOG",
        description="A listener so many events behind is told to load anew.",
    )
    feed_window_h: float = Field(
        default=24.0,
        gt=0,
        validation_alias="GRID_FEED_WINDOW_H",
        description="Hours back from which a listener may go on.",
    )
    recompute_per_s: float = Field(
        default=100.0,
        gt=0,
        validation_alias="GRID_RECOMPUTE_PER_S",
        description="Cases a second at most whose deadlines are counted anew after the calendar has changed.",
    )
