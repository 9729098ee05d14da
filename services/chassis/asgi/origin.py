"""Cross-site requests are refused: an unsafe request with a session cookie must come from our own page, as JSON.

There is no CORS anywhere. A bearer token is no cookie: a browser never adds it by itself, so machines are exempt.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.types import Scope

from services.chassis.asgi.problem import Problem

SESSION_COOKIES = ("__Host-sid", "sid")
SESSION_PATH = "/api/v1/session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_RAW_TYPES = ("image/", "application/octet-stream", "text/csv")


def own_origin(scope: Scope, headers: Mapping[str, str]) -> str:
    """scheme://host[:port] that the caller used; behind a proxy uvicorn has set both from trusted headers."""
    return f"{scope['scheme']}://{headers.get('host', '')}".lower()


def public_address(request: Request) -> str:
    """The address under which people reach this service, without a slash at its end: as set, else as they asked."""
    public: str | None = request.app.state.http.public_url
    return public.rstrip("/") if public else own_origin(request.scope, dict(request.headers))


def has_session_cookie(headers: Mapping[str, str]) -> bool:
    """Cheap test on the raw header; the real lookup happens later."""
    names = {part.partition("=")[0].strip() for part in headers.get("cookie", "").split(";")}
    return not names.isdisjoint(SESSION_COOKIES)


def origin_problem(
    scope: Scope, headers: Mapping[str, str], uploads: tuple[str, ...] = (), origins: tuple[str, ...] = ()
) -> Problem | None:
    """Why this request may not pass, or None. `uploads`: path prefixes where POST may carry raw bytes."""
    if scope["method"] in _SAFE or "authorization" in headers:
        return None
    path: str = scope["path"]
    with_cookie = has_session_cookie(headers)
    if not with_cookie and path != SESSION_PATH:
        return None
    given = headers.get("origin", "").lower()
    if (given or with_cookie) and given not in {own_origin(scope, headers), *origins}:
        return Problem(403, "foreign_origin")
    return _media_problem(scope["method"], path, headers, uploads)


def _media_problem(method: str, path: str, headers: Mapping[str, str], uploads: tuple[str, ...]) -> Problem | None:
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return None
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    raw_allowed = method == "PUT" or (bool(uploads) and path.startswith(uploads))
    if media == "application/json" or (raw_allowed and media.startswith(_RAW_TYPES)):
        return None
    return Problem(415, "json_only")
