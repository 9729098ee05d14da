"""Who is calling. Routes take `CurrentPerson`; `app.py` puts an `Authenticator` on `app.state.auth`."""

from services.chassis.auth.depends import (
    CurrentPerson,
    MaybePerson,
    RequestKeyOf,
    current_person,
    person_or_none,
    request_key,
    require_role,
    require_scope,
)
from services.chassis.auth.person import Person
from services.chassis.auth.rights import RIGHTS, Right, require_right
from services.chassis.auth.router import SessionOut, session_router
from services.chassis.auth.service import Authenticator, PostBook, SessionToken
from services.chassis.auth.settings import AuthSettings

__all__ = [
    "RIGHTS",
    "AuthSettings",
    "Authenticator",
    "CurrentPerson",
    "MaybePerson",
    "Person",
    "PostBook",
    "RequestKeyOf",
    "Right",
    "SessionOut",
    "SessionToken",
    "current_person",
    "person_or_none",
    "request_key",
    "require_right",
    "require_role",
    "require_scope",
    "session_router",
]
