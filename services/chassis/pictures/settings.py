"""Where finished pictures are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator

from services.chassis.pictures.folder import FolderStore
from services.chassis.pictures.store import PictureStore
from services.chassis.settings import SettingsGroup

if TYPE_CHECKING:
    from obstore.store import S3Config


EVIDENCE: Final = "evidence"
"""The part of the store that holds what units show of their work."""


class MediaSettings(SettingsGroup):
    """A folder, or a bucket that speaks S3. What is still being uploaded stays on this machine either way."""

    url: str | None = Field(
        default=None,
        validation_alias="GRID_MEDIA_URL",
        description="Where pictures lie: a folder, or `s3://bucket/prefix`; default: `media` under GRID_HOME.",
    )
    endpoint: str | None = Field(
        default=None,
        validation_alias=AliasChoices("GRID_MEDIA_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        description="Address of the S3 service, `https://…`; default: Amazon's for the region.",
    )
    region: str | None = Field(
        default=None,
        validation_alias=AliasChoices("GRID_MEDIA_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region of the bucket.",
    )
    key_id: str | None = Field(
        default=None,
        validation_alias=AliasChoices("GRID_MEDIA_KEY_ID", "AWS_ACCESS_KEY_ID"),
        description="Access key; without one, what the machine itself is given (an instance's or container's role).",
    )
    secret: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("GRID_MEDIA_SECRET", "AWS_SECRET_ACCESS_KEY"),
        description="Secret of the access key.",
    )
    virtual_host: bool = Field(
        default=False,
        validation_alias="GRID_MEDIA_VIRTUAL_HOST",
        description="1: the bucket's name is part of GRID_MEDIA_ENDPOINT (`https://bucket.oss-….com`), as OSS asks.",
    )

    @field_validator("url")
    @classmethod
    def _known(cls, url: str | None) -> str | None:
        if url is None or "://" not in url:
            return url
        parts = urlsplit(url)
        if parts.scheme == "file" or (parts.scheme == "s3" and parts.netloc):
            return url
        raise ValueError("GRID_MEDIA_URL is a folder, file:///folder, or s3://bucket/prefix")

    @property
    def folder(self) -> Path | None:
        """The folder it names; None: a bucket, or nothing is set."""
        if self.url is None or self.url.startswith("s3://"):
            return None
        return Path(unquote(urlsplit(self.url).path)) if self.url.startswith("file://") else Path(self.url)

    @property
    def remote(self) -> bool:
        """Whether pictures lie in a bucket."""
        return self.url is not None and self.url.startswith("s3://")


def picture_store(settings: MediaSettings, otherwise: Path, below: str = "") -> PictureStore:
    """The store that is set, the part of it `below`; `otherwise` is the folder where nothing is set."""
    if settings.url is None or not settings.remote:
        return FolderStore((settings.folder or otherwise) / below)
    from services.chassis.pictures.bucket import BucketStore  # a large library, for whoever uses it

    parts = urlsplit(settings.url)
    config: S3Config = {"virtual_hosted_style_request": settings.virtual_host, "disable_bulk_delete": True}
    if settings.endpoint:
        config["endpoint"] = settings.endpoint.rstrip("/")
    if settings.region:
        config["region"] = settings.region
    if settings.key_id and settings.secret:
        config["access_key_id"] = settings.key_id
        config["secret_access_key"] = settings.secret.get_secret_value()
    return BucketStore(parts.netloc, f"{parts.path.strip('/')}/{below}", config)
