"""Loading a street's files: once, twice, changed; and what the cache of another process sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from schemas.rulebook import content_hash
from services.chassis.auth import Authenticator
from services.chassis.auth.tables import accounts
from services.chassis.db import Database, grid_now
from services.chassis.directory import DirectoryCache, DirectoryNotLoaded, UnknownRulebook
from services.chassis.directory.files import StreetFilesError
from services.chassis.directory.load import load_street
from services.chassis.directory.write import raise_revision, store_calendar
from services.chassis.ids import SystemIds
from services.governance.acts import Post
from services.governance.cycle import Role

pytestmark = pytest.mark.anyio
RULEBOOKS = Path(__file__).resolve().parents[4] / "deploy" / "rulebooks"
STREET, COMMUNITY, GRID, CELL = "441802001", "441802001001", "44180200100101", "441802001001001"
PASSWORD = "fengcheng-2026"


def write_street(folder: Path) -> Path:
    """A street with one community, grid, cell, place and unit, and three people."""
    ring = [[113.0, 23.6], [113.1, 23.6], [113.1, 23.7], [113.0, 23.7], [113.0, 23.6]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    texts = {
        "street.toml": f'code = "{STREET}"\nname = "凤城街道"\nsample = true\npassword = "{PASSWORD}"\n'
        f'since = 2024-01-01T00:00:00+08:00\nrulebook = "{RULEBOOKS}/fengcheng.toml"\n'
        f'calendars = "{RULEBOOKS}/calendars"\n[[communities]]\ncode = "{COMMUNITY}"\nname = "东门社区"\n',
        "grids.geojson": collection(polygon, code=GRID, name="第一网格", community=COMMUNITY),
        "cells.geojson": collection(polygon, code=CELL, name="一", grid=GRID),
        "places.csv": f"id,name,kind,cell,lng,lat\np1,重庆路东门小区,小区,{CELL},113.05,23.65\n",
        "units.csv": "code,name,kind,area\nzhifadui,综合行政执法队,station,\n",
        "people.csv": "login,name,role,area,unit,label\n"
        f"wangge01,王一,GW,{GRID},,东门社区第一网格网格员\n"
        "shouli,李二,IC,,,\nshouli,李二,DP,,,\nzhifadui,张三,HU,,zhifadui,\n",
        "roster.csv": "area,duty,login,branch\n"
        f"{GRID},worker,wangge01,东门第一网格党支部\n{STREET},duty_chief,shouli,\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def collection(geometry: dict[str, object], **properties: str) -> str:
    """A FeatureCollection of one feature."""
    feature = {"type": "Feature", "properties": properties, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_street(tmp_path)


@pytest.fixture
async def cache(database: Database) -> DirectoryCache:
    return DirectoryCache(database)


async def load(database: Database, folder: Path) -> bool:
    async with database.transaction() as tx:
        return await load_street(tx, folder, SystemIds())


async def test_a_rulebook_that_came_since_the_last_look_is_read_with_its_calendars(
    database: Database, folder: Path, cache: DirectoryCache
) -> None:
    """A process that is there before the first street meets a case of it before its next look."""
    await cache.refresh()
    async with database.transaction() as tx:
        await load_street(tx, folder, SystemIds())
    version = content_hash((RULEBOOKS / "fengcheng.toml").read_text())
    assert (await cache.rulebook(version)).calendar.id == "cn"


async def test_a_loaded_street_is_read_as_it_was_written(
    database: Database, folder: Path, cache: DirectoryCache
) -> None:
    with pytest.raises(DirectoryNotLoaded):
        cache.current()
    assert await load(database, folder)
    street = await cache.refresh()
    assert street.rev == 1
    assert street.streets[STREET].sample
    cell = street.cell_at(113.05, 23.65)
    assert cell is not None
    assert (cell.code, cell.grid, cell.community) == (CELL, GRID, COMMUNITY)
    assert [place.name for place in street.find_places("cqldm")] == ["重庆路东门小区"]
    assert street.units["zhifadui"].name == "综合行政执法队"
    assert street.branch_of(GRID) == "东门第一网格党支部"
    async with database.reading() as tx:
        now = await grid_now(tx)
    (worker,) = street.people_with(Role.GRID_WORKER, now, area=GRID)
    assert (worker.login, worker.sample) == ("wangge01", True)
    clerk = street.on_roster(STREET, "duty_chief", now)[0]
    assert set(street.posts_of(clerk.account_id, now)) == {Post(Role.INTAKE_CLERK), Post(Role.DISPATCHER)}


async def test_loading_the_same_again_changes_nothing(database: Database, folder: Path, cache: DirectoryCache) -> None:
    await load(database, folder)
    before = await cache.refresh()
    assert not await load(database, folder)
    assert await cache.refresh() is before


async def test_a_changed_file_changes_what_it_says_and_keeps_the_rest(
    database: Database, folder: Path, cache: DirectoryCache
) -> None:
    await load(database, folder)
    first = await cache.refresh()
    units = folder / "units.csv"
    units.write_text(units.read_text().replace("综合行政执法队", "综合行政执法一队"))
    posts = folder / "people.csv"
    posts.write_text("".join(line for line in posts.read_text().splitlines(keepends=True) if "李二,DP" not in line))
    assert await load(database, folder)
    second = await cache.refresh()
    assert second.rev == first.rev + 1
    assert second.units["zhifadui"].name == "综合行政执法一队"
    async with database.reading() as tx:
        now = await grid_now(tx)
    clerk = next(account for account in second.accounts.values() if account.login == "shouli")
    assert second.posts_of(clerk.account_id, now) == (Post(Role.INTAKE_CLERK),)
    assert {a.account_id for a in first.accounts.values()} == {a.account_id for a in second.accounts.values()}


async def test_sample_people_sign_in_with_the_public_password(
    database: Database, folder: Path, cache: DirectoryCache
) -> None:
    await load(database, folder)
    await cache.refresh()
    auth = Authenticator(database, cache, SystemIds())
    try:
        opened = await auth.sign_in("wangge01", PASSWORD, address="127.0.0.1", agent="test")
    finally:
        auth.close()
    assert opened.person.sample
    assert opened.person.roles == {Role.GRID_WORKER}


async def test_work_numbers_come_with_the_file_and_stay_where_it_tells_none(database: Database, folder: Path) -> None:
    people, plain = folder / "people.csv", (folder / "people.csv").read_text()
    await load(database, folder)
    heading, first, *rest = plain.splitlines()
    numbered = "\n".join((f"{heading},work_no", f"{first},YX-07", *(f"{line}," for line in rest)))
    for text, changes in ((numbered, True), (numbered, False), (plain, False)):
        people.write_text(f"{text}\n")
        assert await load(database, folder) is changes
    async with database.reading() as tx:
        found = await tx.execute(sa.select(accounts.c.login, accounts.c.work_no).where(accounts.c.work_no.is_not(None)))
    assert found.all() == [("wangge01", "YX-07")]
    people.write_text(numbered.replace("YX-07", "王小明"))
    with pytest.raises(StreetFilesError, match=r"people.csv line 2: .*work_no"):
        await load(database, folder)


async def test_loading_again_keeps_a_password_that_was_changed(database: Database, folder: Path) -> None:
    await load(database, folder)
    async with database.transaction() as tx:
        await tx.execute(sa.update(accounts).where(accounts.c.login == "wangge01").values(password="changed"))
    await load(database, folder)
    async with database.reading() as tx:
        kept = await tx.execute(sa.select(accounts.c.password).where(accounts.c.login == "wangge01"))
    assert kept.scalar_one() == "changed"


async def test_a_rulebook_comes_from_the_table_by_its_hash_and_never_from_elsewhere(
    database: Database, folder: Path, cache: DirectoryCache
) -> None:
    await load(database, folder)
    await cache.refresh()
    async with database.reading() as tx:
        now = await grid_now(tx)
    current = await cache.current_rulebook(STREET, now)
    assert current.version == content_hash((RULEBOOKS / "fengcheng.toml").read_text())
    assert await cache.rulebook(current.version) is current, "parsed once"
    with pytest.raises(UnknownRulebook):
        await cache.rulebook("no-such-version")
    with pytest.raises(UnknownRulebook):
        await cache.current_rulebook("441802999", now)


async def test_a_changed_calendar_reaches_a_version_that_is_already_known(
    database: Database, folder: Path, cache: DirectoryCache
) -> None:
    await load(database, folder)
    await cache.refresh()
    async with database.reading() as tx:
        now = await grid_now(tx)
    before = await cache.current_rulebook(STREET, now)
    text = (RULEBOOKS / "calendars" / "cn-2026.toml").read_text()
    async with database.transaction() as tx:
        assert await store_calendar(tx, "cn-2026.toml", text + "\n# a new notice\n")
        await raise_revision(tx)
    await cache.refresh()
    after = await cache.rulebook(before.version)
    assert after.version == before.version
    assert after.calendar.revision != before.calendar.revision


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("people.csv", ",,zhifadui,", ",,nobody,", r"people.csv: zhifadui names unit nobody"),
        ("people.csv", GRID, "44180200100199", r"people.csv: wangge01 names area 44180200100199"),
        ("people.csv", "李二,IC", "李二,XX", r"people.csv line 3: .*XX"),
        ("people.csv", ",role,", ",post,", r"people.csv line 2: .*role"),
        ("street.toml", "T00:00:00+08:00", "", r"since is a time with an offset"),
        ("roster.csv", "wangge01", "ghost", r"roster.csv: worker names account ghost"),
        ("places.csv", CELL, "441802001001999", r"places.csv: p1 names cell 441802001001999"),
        ("cells.geojson", GRID, "44180200100177", r"cells.geojson: .* names grid 44180200100177"),
        ("cells.geojson", "features", "pictures", r"cells.geojson: not a FeatureCollection"),
        ("street.toml", "sample = true", "sample = false", r"only a sample street may carry a password"),
        ("street.toml", "rulebook", "rules", r"rulebook is missing"),
    ],
)
async def test_files_that_do_not_fit_together_are_refused_before_anything_is_written(
    database: Database, folder: Path, cache: DirectoryCache, file: str, old: str, new: str, told: str
) -> None:
    path = folder / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(StreetFilesError, match=told):
        await load(database, folder)
    assert not (await cache.refresh()).streets


async def test_the_sample_street_loads_and_every_cell_is_found_from_its_own_places(
    database: Database, cache: DirectoryCache
) -> None:
    async with database.transaction() as tx:
        assert await load_street(tx, RULEBOOKS.parent / "sample" / "fengcheng", SystemIds())
    street = await cache.refresh()
    assert street.places
    for place in street.places.values():
        assert place.lng is not None
        assert place.lat is not None
        cell = street.cell_at(place.lng, place.lat)
        assert cell is not None
        assert cell.code == place.cell
        assert place.initials
    assert all(street.branch_of(code) for code in street.grids)
    async with database.reading() as tx:
        now = await grid_now(tx)
    rulebook = await cache.current_rulebook(STREET, now)
    assert set(rulebook.units) <= set(street.units)
    held = {post.role for account in street.accounts for post in street.posts_of(account, now)}
    assert held == set(Role)
