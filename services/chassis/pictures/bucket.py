"""Pictures in a bucket that speaks S3. The bucket stays private: everything is handed out by the services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from services.chassis.pictures.store import PAGE, PictureMissing, StoreAway

if TYPE_CHECKING:  # the library declares these for type checkers only
    from obstore.store import ClientConfig, S3Config

T = TypeVar("T")
CONNECT_S: Final = 3
REQUEST_S: Final = 15
"""A request that takes longer has failed: whoever sends a photo is told to come again."""
_TRIES_AGAIN: Final = 2
_NO_BUCKET: Final = ("NoSuchBucket", "InvalidBucketName")


class BucketStore:
    """All below one prefix of one bucket. Opens nothing before it is used."""

    def __init__(self, bucket: str, prefix: str, config: S3Config, request_s: float = REQUEST_S) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._endpoint = str(config.get("endpoint", ""))
        client: ClientConfig = {
            "connect_timeout": timedelta(seconds=CONNECT_S),
            "timeout": timedelta(seconds=request_s),
            "allow_http": urlsplit(self._endpoint).scheme == "http",
        }
        self._store = S3Store(
            bucket,
            prefix=self._prefix or None,
            config=config,
            client_options=client,
            retry_config={"max_retries": _TRIES_AGAIN, "retry_timeout": timedelta(seconds=2 * request_s)},
        )

    def describe(self) -> str:
        where = f"s3://{self._bucket}/{self._prefix}"
        return f"{where} at {self._endpoint}" if self._endpoint else where

    async def put(self, path: str, content: bytes) -> None:
        attributes = {"Content-Type": "image/jpeg"}
        try:
            await _answered(obstore.put_async(self._store, path, content, attributes=attributes, use_multipart=False))
        except PictureMissing as error:  # there is no folder to be missing: it is the bucket
            raise StoreAway("no_bucket") from error

    async def get(self, path: str) -> bytes:
        found = await _answered(obstore.get_async(self._store, path))
        return bytes(await _answered(found.bytes_async()))

    async def remove(self, path: str) -> None:
        try:
            await _answered(obstore.delete_async(self._store, path))
        except PictureMissing:
            return

    async def old(self, below: str, before: float) -> AsyncIterator[list[str]]:
        listing = obstore.list(self._store, prefix=below or None, chunk_size=PAGE)
        pages = aiter(listing)
        while (page := await _answered(_next(pages))) is not None:
            aged = [item["path"] for item in page if item["last_modified"].timestamp() < before]
            if aged:
                yield [path.removeprefix(below).lstrip("/") for path in aged]

    async def remove_old(self, below: str, paths: Sequence[str], before: float) -> int:  # noqa: ARG002 - see below
        """A name is never given twice, so what was old when it was listed is old still."""
        for path in paths:
            await self.remove(f"{below}/{path}" if below else path)
        return len(paths)


async def _next(pages: AsyncIterator[Sequence[T]]) -> Sequence[T] | None:
    return await anext(pages, None)


async def _answered(asked: Awaitable[T]) -> T:
    """The answer, or what went wrong in our words; the library's own quote addresses and keys."""
    try:
        return await asked
    except FileNotFoundError as error:
        if any(name in str(error) for name in _NO_BUCKET):
            raise StoreAway("no_bucket") from None
        raise PictureMissing from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise StoreAway("denied") from None
    except BaseError as error:
        raise StoreAway("unreachable", type(error).__name__) from None
