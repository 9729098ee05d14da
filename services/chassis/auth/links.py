"""Where the pages are, as the browser that asks can reach them: one host name, or a port for each service."""

from __future__ import annotations

from fastapi import Request

from services.chassis.settings import DispatchHttpSettings, HttpSettings, IntakeHttpSettings

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


def page_links(request: Request) -> dict[str, str]:
    """`form`, `desk` and `console`. Behind one proxy the paths are enough; on loopback each service has its port."""
    intake, dispatch = IntakeHttpSettings(), DispatchHttpSettings()
    return {
        "form": _base(request, intake) + "/m/",
        "desk": _base(request, dispatch) + "/desk/",
        "console": _base(request, dispatch) + "/console/",
    }


def _base(request: Request, service: HttpSettings) -> str:
    if service.public_url:
        return service.public_url.rstrip("/")
    host = (request.url.hostname or "").lower()
    with_tls = {IntakeHttpSettings().https_port, DispatchHttpSettings().https_port} - {0}
    if request.url.scheme == "https" and request.url.port in with_tls:
        return f"https://{host}:{service.https_port}"
    on_own_port = request.url.port in {IntakeHttpSettings().port, DispatchHttpSettings().port}
    if host in _LOOPBACK and on_own_port:
        return f"{request.url.scheme}://{host}:{service.port}"
    return ""
