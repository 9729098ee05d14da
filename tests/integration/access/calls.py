"""How each route is called: a request that would do its work for somebody who may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.integration.access.asking import Call
from tests.integration.access.world import World

REPORT: Mapping[str, Any] = {
    "category": None,
    "text": "灯不亮",
    "position": {"lng": 113.06, "lat": 23.69, "crs": "wgs84"},
}
NOTHING = "01950000-0000-7000-8000-000000000000"
ROBOT: Mapping[str, Any] = {"kind": "wecom", "name": "值班群", "url": "https://robot.example.org/send?key=k"}
BODIES: Mapping[str, Any] = {
    "POST /api/v1/session": {"login": "nobody", "password": "not-a-password"},
    "POST /api/v1/reports": REPORT,
    "POST /api/v1/intake/reports": REPORT,
    "POST /api/v1/good-deeds": {"text": "李阿姨把走失的孩子送回家"},
    "POST /api/v1/reports/{report_id}/actions/{action}": {"note": "还没处理"},
    "POST /api/v1/webhooks": {"url": "https://platform.example.org/two", "events": ["case.closed"], "name": "two"},
    "POST /api/v1/webhooks/allowed": {"scheme": "https", "host": "10.0.0.6", "port": 443, "reason": "区平台在内网"},
    "POST /api/v1/deliveries/replay": {"event_id": NOTHING},
    "POST /api/v1/deliveries/set-aside": {"event_id": NOTHING, "reason": "区平台已补录"},
    "PATCH /api/v1/webhooks/{endpoint_id}": {"name": "renamed"},
    "POST /api/v1/notices/robots": ROBOT,
    "PATCH /api/v1/notices/robots/{robot_id}": {"name": "renamed"},
    "POST /api/v1/notices/read": {"upto": 1},
    "PATCH /api/v1/notices/choices": {"off": ["email"]},
    "POST /api/v1/notices/choices/test": {"way": "email"},
    "PATCH /api/v1/escalation/{rest:path}": {"name": "renamed"},
    "POST /api/v1/platform/events": {"type": "answered"},
    "POST /api/v1/platform/{endpoint_id}/events": {"type": "answered"},
    "POST /api/v1/receipts/{receipt_id}/map": {"outcome": "accepted", "case_no": "FC-20200101-00001"},
    "POST /api/v1/receipts/{receipt_id}/set-aside": {"reason": "twice"},
    "POST /api/v1/push/{source}": {"external_id": "GD1", "text": "灯不亮", "place_words": "路口"},
    "POST /api/v1/delegations": {
        "account": "hecha",
        "role": "GW",
        "area": "44180200100101",
        "until": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
    },
    "PUT /api/v1/views/{view_id}": {"name": "超期的", "address": "/queues/intake?late=over"},
    "PUT /api/v1/reports/{report_id}/reporter": {"name": "王小明", "phone": "13812345678"},
    "PUT /api/v1/intake/reports/{report_id}/reporter": {"name": "王小明", "phone": "13812345678"},
    "POST /api/v1/reports/{report_id}/reporter/reveal": {"reason": "need_to_call"},
    "POST /api/v1/cases/{case_no}/reports/{report_id}/reporter/reveal": {"reason": "need_to_call"},
    "POST /api/v1/bulk/{action}": {"cases": [{"case_no": "FC-20200101-00001", "version": 1}], "inputs": {}},
    "POST /api/v1/cases/{case_no}/mediation": {"id": "01950000-0000-7000-8000-000000000000", "text": "x"},
}
QUERIES: Mapping[str, str] = {
    "GET /api/v1/duplicates": "?lng=113.06&lat=23.69",
    "GET /api/v1/intake/duplicates": "?lng=113.06&lat=23.69",
    "GET /api/v1/webhooks/{endpoint_id}/preview": "?type=case.closed",
    "POST /api/v1/webhooks/{endpoint_id}/replay": "?since=2026-01-01T00:00:00Z",
}
FORMS: Mapping[str, Mapping[str, str]] = {
    "POST /open311/v2/requests.{format}": {"service_code": "0110", "lat": "23.69", "long": "113.06"},
}
PICTURES = ("/photos/{photo_id}", "/evidence/{evidence_id}")


def call_of(world: World, route: str, situation: str | None, action: str | None, headers: Mapping[str, str]) -> Call:
    """The request for a row of the table. `situation` names the case that it is about."""
    method, path = route.split(" ", 1)
    names = {**world.names, "photo_id": "p1", "evidence_id": "e1", "queue": "intake", "action": action or "urge"}
    names["case_id"] = names["receipt_id"] = "01950000-0000-7000-8000-000000000000"
    names |= {"format": "json", "service_code": "0110", "source": "hotline", "view_id": "v1", "seat": "s1"}
    if situation is not None:
        names["case_no"] = world.names[situation]
    names["rest:path"] = f"webhooks/{names['endpoint_id']}" + ("/test" if method == "POST" else "")
    if method == "GET":
        names["rest:path"] = "webhooks"
    target = path
    for name, value in names.items():
        target = target.replace(f"{{{name}}}", value)
    assert "{" not in target, f"nothing stands for a parameter of {route}"
    sent = dict(headers)
    body = b""
    if method == "PUT" and path.endswith(PICTURES):
        sent["content-type"], body = "image/jpeg", b"\xff\xd8\xff\xe0 cut off"
    elif route in FORMS:
        sent["content-type"], body = "application/x-www-form-urlencoded", urlencode(FORMS[route]).encode()
    elif method in ("POST", "PUT", "PATCH"):
        sent |= {"content-type": "application/json", "idempotency-key": str(uuid4())}
        given = (
            {"case_no": names.get("case_no", "FC-20200101-00001")}
            if path.startswith("/api/v1/presence/")
            else BODIES.get(route, {})
        )
        body = json.dumps(given).encode()
    if situation is not None:
        sent["if-match"] = f'"{world.versions[situation]}"'
    return Call(method, target + QUERIES.get(route, ""), sent, body)
