"""/api/v1/session: sign in, who am I, sign out. The same router in each service, so one sign-in serves all three."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.chassis.asgi.origin import SESSION_PATH
from services.chassis.asgi.problem import Problem
from services.chassis.auth.depends import CurrentPerson, authenticator, session_token
from services.chassis.auth.links import page_links
from services.chassis.auth.person import Lent, Person
from services.chassis.auth.rights import Right, rights_of
from services.chassis.auth.service import Authenticator, SessionToken
from services.governance.acts import Post
from services.governance.cycle import Role

_DESKS: dict[Role, tuple[str, ...]] = {
    Role.GRID_WORKER: ("branch",),
    Role.GRID_SECRETARY: ("branch",),
    Role.COMMUNITY_SECRETARY: ("community",),
    Role.HANDLING_UNIT: ("unit",),
    Role.MEMBER_UNIT: ("member",),
    Role.STREET_LEADER: ("leader",),
    Role.DISTRICT: ("district",),
    Role.INTAKE_CLERK: ("console",),
    Role.DISPATCHER: ("console",),
    Role.DUTY_CHIEF: ("console",),
    Role.VERIFIER: ("console",),
    Role.ADMINISTRATOR: ("console",),
    Role.AUDITOR: ("console",),
    Role.STREET_COMMITTEE: ("console",),
    Role.EVALUATOR: ("console",),
}

Labeller = Callable[[Person], Sequence[str | None]]
Lending = Callable[[Person], Mapping[Post, Lent]]


class SignIn(BaseModel):
    """An account with its password, or a one-time link."""

    model_config = ConfigDict(extra="forbid")

    login: str | None = Field(default=None, min_length=1, max_length=100)
    password: str | None = Field(default=None, min_length=1, max_length=256)
    link: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def one_way_in(self) -> SignIn:
        if (self.link is None) == (self.login is None or self.password is None):
            raise ValueError("give login and password, or link")
        return self


class PostOut(BaseModel):
    role: Role
    area: str
    unit: str | None
    label: str | None
    until: datetime | None = Field(default=None, description="of a post held for a while (值班)")
    granted_by: str | None = Field(default=None, description="name of who lent it")


class SessionOut(BaseModel):
    """Who is signed in, with the posts in force now, the desks they open, what they give beside cases, the pages."""

    account_id: str
    login: str
    name: str
    lang: str
    posts: list[PostOut]
    sample: bool
    desks: list[str]
    rights: list[Right]
    links: dict[str, str]
    work_no: str | None = Field(default=None, description="stands on photos in place of a name")


def session_router(labels: Labeller | None = None, lent: Lending | None = None) -> APIRouter:
    """`labels` gives the words for each of a person's posts, in their order (from the directory and the word list);
    `lent` tells which of them are his for a while only."""
    router = APIRouter(tags=["session"])

    @router.post(SESSION_PATH, summary="Sign in")
    async def sign_in(
        body: SignIn, request: Request, response: Response, auth: Annotated[Authenticator, Depends(authenticator)]
    ) -> SessionOut:
        refuse_open_network(request)
        address = request.client.host if request.client else "unknown"
        agent = request.headers.get("user-agent", "")
        if body.link is not None:
            opened = await auth.sign_in_by_link(body.link, address=address, agent=agent)
        else:
            assert body.login is not None
            assert body.password is not None
            opened = await auth.sign_in(body.login, body.password, address=address, agent=agent)
        set_cookie(response, request, opened)
        return _session_out(opened.person, auth, labels, lent, page_links(request))

    @router.get(SESSION_PATH, summary="Who am I")
    async def who_am_i(
        request: Request, person: CurrentPerson, auth: Annotated[Authenticator, Depends(authenticator)]
    ) -> SessionOut:
        return _session_out(person, auth, labels, lent, page_links(request))

    @router.delete(SESSION_PATH, status_code=204, summary="Sign out")
    async def sign_out(
        request: Request, response: Response, auth: Annotated[Authenticator, Depends(authenticator)]
    ) -> None:
        token = session_token(request)
        if token is not None:
            await auth.sign_out(token)
        response.delete_cookie(_cookie_name(request), path="/", secure=_https(request), httponly=True, samesite="lax")

    return router


def set_cookie(response: Response, request: Request, opened: SessionToken) -> None:
    """`__Host-sid` over HTTPS, `sid` on loopback."""
    response.set_cookie(
        _cookie_name(request),
        opened.token,
        max_age=opened.life_s,
        path="/",
        secure=_https(request),
        httponly=True,
        samesite="lax",
    )


def refuse_open_network(request: Request) -> None:
    """A session over plain HTTP is for this very machine; anywhere else a password would travel in the clear."""
    if _https(request):
        return
    host = (request.url.hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Problem(403, "https_required")


def _https(request: Request) -> bool:
    return request.url.scheme == "https"


def _cookie_name(request: Request) -> str:
    return "__Host-sid" if _https(request) else "sid"


def _post_out(post: Post, label: str | None, lent: Lent | None) -> PostOut:
    shown = PostOut(role=post.role, area=post.area, unit=post.unit, label=label)
    return shown.model_copy(update={"until": lent.until, "granted_by": lent.granted_by}) if lent else shown


def _session_out(
    person: Person, auth: Authenticator, labels: Labeller | None, lent: Lending | None, links: dict[str, str]
) -> SessionOut:
    words = labels(person) if labels else [None] * len(person.posts)
    terms = lent(person) if lent else {}
    posts = [_post_out(post, label, terms.get(post)) for post, label in zip(person.posts, words, strict=True)]
    return SessionOut(
        account_id=person.account_id,
        login=person.login,
        name=person.name,
        lang=person.lang,
        posts=posts,
        sample=person.sample,
        desks=list(dict.fromkeys(desk for post in person.posts for desk in _DESKS.get(post.role, ()))),
        rights=rights_of(person, auth),
        links=links,
        work_no=person.work_no,
    )
