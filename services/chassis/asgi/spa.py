"""Serving a built front end: hashed assets for ever, the page itself never from the cache."""

from __future__ import annotations

import mimetypes
import os
import re
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

IMMUTABLE = "public, max-age=31536000, immutable"
NO_CACHE = "no-cache"
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")

_NOT_BUILT = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>{path}</title>
<h1>页面尚未构建</h1>
<p>接口运行正常，但 <code>{path}</code> 的前端文件不在。请在项目目录执行 <code>make web</code>，然后刷新本页。</p>
<p lang="en">The service is running, but the front end of <code>{path}</code> has not been built.
Run <code>make web</code> in the project directory, then reload.</p>
</html>"""


_CODINGS = (("br", ".br"), ("gzip", ".gz"))
"""Forms that the build lays beside its files, best first."""


class _BuiltPage(StaticFiles):
    """StaticFiles with the fallback of a single-page application, cache rules, and what the build has compressed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        path = path if path not in ("", ".") else "index.html"
        try:
            response = await self._smallest(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or "." in path.rsplit("/", 1)[-1]:
                raise
            path = "index.html"
            response = await self._smallest(path, scope)
        response.headers["cache-control"] = IMMUTABLE if _HASHED.search(path) else NO_CACHE
        response.headers.add_vary_header("accept-encoding")
        return response

    async def _smallest(self, path: str, scope: Scope) -> Response:
        accepted = Headers(scope=scope).get("accept-encoding", "")
        for coding, ending in _CODINGS:
            if coding not in accepted or not self.lookup_path(path + ending)[0]:
                continue
            response = await super().get_response(path + ending, scope)
            response.headers["content-encoding"] = coding
            response.headers["content-type"] = _media_type(path)
            return response
        return await super().get_response(path, scope)


def _media_type(path: str) -> str:
    """What the file holds, whatever form it is sent in."""
    found = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def mount_spa(app: FastAPI, path: str, directory: Path) -> None:
    """Serve `directory` at `path` ('/console/'); a missing build is said in words, not with a bare 404."""
    prefix = "/" + path.strip("/")
    if (directory / "index.html").is_file():
        app.mount(prefix, _BuiltPage(directory=os.fspath(directory), html=True), name=prefix)
        return

    async def not_built() -> HTMLResponse:
        return HTMLResponse(_NOT_BUILT.format(path=prefix + "/"), status_code=503, headers={"cache-control": NO_CACHE})

    app.add_api_route(prefix + "/", not_built, include_in_schema=False)
    app.add_api_route(prefix + "/{rest:path}", not_built, include_in_schema=False)
