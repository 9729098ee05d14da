"""What every service's HTTP side has in common. Start at `create_app`."""

from services.chassis.asgi.app import create_app
from services.chassis.asgi.compressing import CompressedReading
from services.chassis.asgi.conditional import etag, if_match, parse_if_match
from services.chassis.asgi.edge import EdgeRules
from services.chassis.asgi.errors import no_room, unavailable
from services.chassis.asgi.idempotency import Answer, RequestKey, answer_once, idempotency_tables, read_request_key
from services.chassis.asgi.lane import open_lane
from services.chassis.asgi.paging import Page, encode_cursor, page
from services.chassis.asgi.policy import ContentPolicy
from services.chassis.asgi.probes import (
    Missing,
    ReadyCheck,
    database_check,
    folder_check,
    schema_check,
    tcp_check,
)
from services.chassis.asgi.problem import FieldProblem, NotReady, Problem, ProblemBody, not_found
from services.chassis.asgi.spa import mount_spa
from services.chassis.asgi.wording import Wording, language

__all__ = [
    "Answer",
    "CompressedReading",
    "ContentPolicy",
    "EdgeRules",
    "FieldProblem",
    "Missing",
    "NotReady",
    "Page",
    "Problem",
    "ProblemBody",
    "ReadyCheck",
    "RequestKey",
    "Wording",
    "answer_once",
    "create_app",
    "database_check",
    "encode_cursor",
    "etag",
    "folder_check",
    "idempotency_tables",
    "if_match",
    "language",
    "mount_spa",
    "no_room",
    "not_found",
    "open_lane",
    "page",
    "parse_if_match",
    "read_request_key",
    "schema_check",
    "tcp_check",
    "unavailable",
]
