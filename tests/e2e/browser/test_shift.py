"""A whole shift through the pages: thirty matters from the phone to closed, each person at a screen of his own.

Nobody reloads a page: a case is worked on from the list in which it turned up by itself. `make pictures` keeps what
was seen.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.chassis.clock import LOCAL
from tests.e2e.browser import shift
from tests.e2e.browser.conftest import Sit
from tests.e2e.browser.pictures import keep
from tests.e2e.browser.reporting import Matter
from tests.e2e.browser.shift import BRANCH, CHIEF, CLERK, COMMUNITY, LEADER, MEMBER, UNIT, Crew, Road
from tests.e2e.city import City, platform
from tests.e2e.conftest import a_town
from tests.e2e.town import Town, facts_are_dense, kinds_of, picture
from tests.support.stand import CHECKOUT

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(3_600)]

LATE = "无证掘路"
"""The class whose limit is two minutes on this street."""
SHIFT: tuple[tuple[Road, str, str, str], ...] = (
    *((shift.grid, "垃圾保洁", kind, "巡查时当场清理") for kind in ("乱堆物堆料", "废弃家具设备", "积存垃圾渣土") * 2),
    *((shift.grid, "停车秩序", kind, "已劝车主挪车") for kind in ("机动车乱停放", "地桩地锁") * 2),
    *((shift.community, "垃圾保洁", kind, "社区组织清理") for kind in ("垃圾未分类", "建筑物外立面不洁") * 2),
    (shift.community, "垃圾保洁", "擅自饲养家禽家畜", "楼顶养了十几只鸡"),
    (shift.claimed, "垃圾保洁", "临街阳台、屋顶脏乱差", "学校围墙外堆满杂物"),
    (shift.declined, "垃圾保洁", "非装饰性树（吊）挂", "行道树上挂满塑料袋"),
    *((shift.street, "施工违建", kind, "劝阻无效") for kind in ("施工占道", "店面无证装修") * 2),
    (shift.check_fails_once, "摆摊占道", "擅自在临街建筑物挂彩旗", "彩旗挡住信号灯"),
    (shift.extended, "摆摊占道", "广告设置位置不合理", "广告牌挡住盲道"),
    *((shift.returned, "摆摊占道", kind, "商户不听劝") for kind in ("违规标语宣传品", "广告语言文字不规范")),
    (shift.ruled, "摆摊占道", "街头散发广告", "路口散发广告，满地都是"),
    *((shift.joint, "施工违建", "私搭乱建", "屋顶搭建，建筑垃圾堆在校门口") for _ in range(2)),
    (shift.whistled, "道路井盖", "违章接坡", "接坡占了公交站"),
)
ENDS = {("closed", "self"), ("closed", "normal"), ("closed", "overdue")}
PLACES = ("拾翠巷4号", "揽翠巷32号", "映翠巷51号", "拾翠花苑5栋", "揽翠家电维修部", "映翠文具店")


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    with platform() as city:
        yield city


@pytest.fixture(scope="module")
def town(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A street of its own, on which one class has a limit of two minutes."""
    folder = tmp_path_factory.mktemp("street")
    shutil.copytree(CHECKOUT / "deploy" / "sample" / "fengcheng", folder / "sample" / "street")
    shutil.copytree(CHECKOUT / "deploy" / "rulebooks", folder / "rulebooks")
    book = folder / "rulebooks" / "fengcheng.toml"
    hasty, found = re.subn(r'(id = "0303\.1"\ntext = "[^"]+"\nlimit = )"1d"', r'\1"2um"', book.read_text("utf-8"))
    assert found == 1, "the class has another limit"
    book.write_text(hasty, "utf-8")
    with a_town(city, {"GRID_SAMPLE_DIR": str(folder / "sample" / "street")}) as town:
        yield town


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("camera") / "IMG_0002.jpg"
    path.write_bytes(picture("gray"))
    return path


def test_thirty_matters_from_the_phone_to_closed(sit: Sit, town: Town, city: City, photo: Path) -> None:
    place = town.place_of(shift.FINDER)
    here = {"longitude": place["lng"], "latitude": place["lat"], "accuracy": 12}
    crew = Crew(sit, town, {"geolocation": here, "permissions": ["geolocation"]}, photo)
    late = crew.report(Matter("施工违建", LATE, PLACES[0], "半夜开挖路面，没有围挡"))
    shift.begins_late(crew, late)
    crew.keeps = True

    matters = [
        (road, crew.report(Matter(tile, kind, PLACES[n % len(PLACES)], text)))
        for n, (road, tile, kind, text) in enumerate(SHIFT)
    ]
    branch = crew.at(BRANCH)
    crew.looks_at(branch, "branch_triage")
    keep(branch, "desk-branch")
    crew.shows(CHIEF, "branch_triage", matters[0][1], "console")  # the list draws what is in sight
    for road, no in matters:
        road(crew, no)
    tomorrow = datetime.now(LOCAL) + timedelta(days=1)
    shift.ends_late(crew, late, f"{tomorrow:%Y-%m-%dT%H:%M}")

    worked = [late, *(no for _, no in matters)]
    assert len(set(worked)) == 30
    told = {no: town.person(CHIEF).case(no) for no in worked}
    for no, case in told.items():
        assert (case["state"], case["closed_as"]) in ENDS, no
        facts_are_dense(case)
    happened = {no: set(kinds_of(case)) for no, case in told.items()}
    assert {"overdue", "supervised", "supervision_answered"} <= happened[late]
    assert sum("returned" in kinds for kinds in happened.values()) == 3
    assert sum("co_claimed" in kinds for kinds in happened.values()) == 3
    assert sum("verify_failed" in kinds for kinds in happened.values()) == 1
    for screen in (crew.at(BRANCH), crew.at(COMMUNITY), crew.at(UNIT), crew.at(MEMBER)):
        assert _waiting(screen.login, town) == 0, screen.login
    crew.looks_at(crew.at(CLERK), "in_handling")
    assert city.of(late), "the city heard of the late one"
    crew.looks_at(crew.at(LEADER), "today")
    shift.looks_around(crew)
    shift.takes_a_call(crew)


def _waiting(login: str, town: Town) -> int:
    """What still stands open for somebody."""
    counts = town.person(login).dispatch.get("/api/v1/queues").raise_for_status().json()["queues"]
    return sum(one["open"] for one in counts)
