"""What dispatch reads from its environment beside the shared groups."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DispatchSettings(BaseSettings):
    """Addresses of the other two services and the sizes of the live feed."""

    model_config = SettingsConfigDict(env_prefix="GRID_", extra="ignore", frozen=True)

    intake_url: str = Field(default="http://127.0.0.1:8001", description="where 登记 and photos are forwarded to")
    escalation_url: str = Field(default="http://127.0.0.1:8003", description="where webhook and delivery calls go")
    service_token: str = Field(default="", description="bearer token dispatch shows to the services it forwards to")
    feed_tick_s: float = Field(default=0.1, gt=0, description="pause between two reads of the feed, seconds")
    feed_backlog: int = Field(default=1000, gt=0, description="events a stream may be behind before it gets a reset")
    feed_window_h: float = Field(default=24.0, gt=0, description="how old a cursor may be, hours")
