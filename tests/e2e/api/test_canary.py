"""Marked people go in through every door, and nowhere that others read does anything of them come out.

Two lists. What names a person (name, number, plate, mail) must be nowhere but sealed in the vault. What a person wrote
besides (a marked word, a house number) is for those who work on the matter: never in logs, metrics, pushes to others or
public pages. The search proves itself: what is planted on purpose is found in each of the places.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from PIL import Image
from psycopg import sql
from standardwebhooks.webhooks import Webhook

from tests.e2e.city import City
from tests.e2e.town import Town, until
from tests.support.traces import Found, in_bytes, in_files, in_metrics, in_tables, in_topics, topics_with

NAME, PHONE, IDENTITY = "祁冬葵", "13899887761", "441802199003037762"
PLATE, MAIL, CARD = "粤R9K7Z3", "canary.donkui@leak.example", "6222029988776655443"
PERSONAL = (NAME, PHONE, IDENTITY, PLATE, MAIL.split("@")[0], CARD)
WORD, DOOR = "紫貂暗语", "8807室"
TOLD = (
    f"{WORD}：门口有垃圾，联系人：{NAME}，电话{PHONE}，身份证{IDENTITY}，"
    f"车牌{PLATE}，邮箱{MAIL}，卡号{CARD}，37栋{DOOR}"
)
PLACE = f"鸣翠花苑37栋9单元{DOOR}"
WHO = {"name": NAME, "phone": PHONE, "email": MAIL, "contact": "phone"}
CALLER = {"name": NAME, "phone": PHONE, "email": MAIL}


def photo() -> bytes:
    """Its comment and its artist are somebody."""
    image, out = Image.new("RGB", (640, 480), "green"), io.BytesIO()
    exif = image.getexif()
    exif[0x010E], exif[0x013B] = f"{PHONE} {MAIL}", f"canary {IDENTITY}"
    image.save(out, "JPEG", exif=exif, comment=f"{PHONE} {MAIL}".encode())
    return out.getvalue()


@pytest.fixture(scope="module")
def happened(town: Town, city: City) -> dict[str, str]:
    """Everything has gone in; the case of the report done on the spot has been pushed to the city platform."""
    found = {**_phone(town), **_desk(town)}
    _refused(town)
    _open311(town)
    _push(town)
    _import(town)
    until("the city platform has heard of it", lambda: city.of(found["case_no"]))
    until("every event is in Kafka", lambda: not _unpublished(town))
    return found


def _unpublished(town: Town) -> int:
    """Events that a search of the topics could not find yet."""
    with psycopg.connect(town.stand.database_url, autocommit=True) as connection:
        counts = [
            connection.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE published_at IS NULL").format(sql.Identifier(schema, "outbox"))
            ).fetchone()
            for schema in ("intake", "dispatch", "escalation")
        ]
    return sum(row[0] for row in counts if row is not None)


def _phone(town: Town) -> dict[str, str]:
    worker, bytes_of = town.person("wangge01"), photo()
    named = {"id": "p1", "sha256": sha256(bytes_of).hexdigest(), "bytes": len(bytes_of), "mime": "image/jpeg"}
    body = town.matter("wangge01", "0302", text=TOLD, place_words=PLACE, landmark=TOLD[:150], photos=[named])
    made = worker.send(body).raise_for_status().json()
    path = f"/api/v1/reports/{made['id']}"
    worker.intake.put(f"{path}/photos/p1", content=bytes_of, headers={"content-type": "image/jpeg"}).raise_for_status()
    worker.intake.put(f"{path}/reporter", json=WHO).raise_for_status()
    worker.intake.post(f"{path}/reporter/reveal", json={"reason": "on_behalf"}).raise_for_status()
    until("the report becomes a case", lambda: worker.receipt(made["id"])["case_no"])
    for action in ("urge", "add_info"):
        worker.intake.post(f"{path}/actions/{action}", json={"note": TOLD}, headers={"idempotency-key": str(uuid4())})
    deed = {"text": TOLD, "place_words": PLACE}
    worker.intake.post("/api/v1/good-deeds", json=deed, headers={"idempotency-key": str(uuid4())})
    spot = town.matter("wangge01", "0302", text=TOLD, place_words=PLACE, on_the_spot={"act": "sao", "note": TOLD[:190]})
    done = worker.send(spot).raise_for_status().json()
    case_no = until("what was done on the spot becomes a case", lambda: worker.receipt(done["id"])["case_no"])
    return {"case_no": case_no, "report_id": made["id"], "track": made["track_url"]}


def _desk(town: Town) -> dict[str, str]:
    """登记 by the clerk, who then looks up whom to call; and a note of the branch."""
    clerk, branch = town.person("shouli"), town.person("zhibu01")
    body = town.matter("wangge01", "0302", text=TOLD, place_words=PLACE, source="phone")
    answer = clerk.dispatch.post("/api/v1/intake/reports", json=body, headers={"idempotency-key": str(uuid4())})
    made = answer.raise_for_status().json()
    clerk.intake.put(f"/api/v1/reports/{made['id']}/reporter", json=WHO).raise_for_status()
    case_no = until("the clerk's report becomes a case", lambda: clerk.receipt(made["id"])["case_no"])
    path = f"/api/v1/cases/{case_no}/reports/{made['id']}/reporter/reveal"
    shown = clerk.dispatch.post(path, json={"reason": "need_to_call"}).raise_for_status().json()
    assert shown["name"] == NAME
    branch.act(case_no, "call_up", reason="no_means", note=f"{WORD} 37栋{DOOR}")
    return {"registered": case_no}


def _refused(town: Town) -> None:
    """Bad input of all kinds, to all three services, by people and by nobody."""
    worker, nobody = town.person("wangge01"), town.client("intake")
    odd = {"user-agent": f"phone {PHONE}", "x-request-id": f"mail-{PHONE}", "referer": f"http://x/{MAIL}"}
    for body in (
        {"text": TOLD, "extra": NAME, "position": {"cell": TOLD[:60]}},
        {"text": {"of": TOLD}, "category": TOLD[:60]},
        town.matter("wangge01", "0302", text=TOLD, place_words=PLACE * 20),
        town.matter("wangge01", "0302", text=TOLD, joins=PHONE),
    ):
        assert worker.send(body, **odd).status_code >= 400
    worker.intake.post("/api/v1/reports", content=TOLD.encode(), headers={"content-type": "application/json", **odd})
    for asked in (
        f"/api/v1/places?q={NAME}",
        f"/api/v1/reports?after={PHONE}",
        f"/api/v1/reports/{PHONE}",
        f"/t/{NAME}",
    ):
        worker.intake.get(asked, headers=odd)
        nobody.get(asked, headers=odd)
    assert (
        worker.intake.put(f"/api/v1/reports/{uuid4()}/reporter", json={**WHO, "phone": f"{PHONE}x"}).status_code == 422
    )
    for service in ("intake", "dispatch", "escalation"):
        client = town.client(service)
        client.post("/api/v1/session", json={"login": PHONE, "password": TOLD[:200]}, headers=odd)
        client.post("/api/v1/session", json={"login": NAME, "password": MAIL, "x": IDENTITY}, headers=odd)
        client.get(f"/{PHONE}?who={MAIL}", headers={**odd, "authorization": f"Bearer {PHONE}{IDENTITY}"})
    chief = town.person("zhiban").dispatch
    chief.get("/api/v1/cases", params={"q": PHONE})
    chief.get(f"/api/v1/cases/{PHONE}")


def _open311(town: Town) -> None:
    said = town.stand.grid("token", "create", "--open311")
    key = next(word for word in said.stdout.split() if len(word) > 30)
    pin = town.pin_of("wangge01")
    where = {"service_code": "0302", "lat": pin["lat"], "long": pin["lng"], "address_string": PLACE}
    who = {"first_name": "冬葵", "last_name": "祁", "phone": PHONE, "email": MAIL, "description": TOLD}
    form = {"api_key": key, **where, **who}
    client = town.client("intake")
    answer = client.post("/open311/v2/requests.json", data=form)
    assert answer.status_code in (200, 201), answer.text
    client.post("/open311/v2/requests.json", data={**form, "api_key": PHONE})
    client.post("/open311/v2/requests.xml", data={**form, "lat": NAME})


def _push(town: Town) -> None:
    said = town.stand.grid("partner", "add", "hotline", "--source", "hotline_12345")
    secret = next(word for word in said.stdout.split() if word.startswith("whsec_"))
    good: dict[str, Any] = {"external_id": "H-1", "text": TOLD, "place_words": PLACE, "caller": CALLER}
    client = town.client("intake")
    for n, body in enumerate((good, {**good, "external_id": PHONE, "unknown": NAME}, {"items": [TOLD]})):
        raw, at = json.dumps(body, ensure_ascii=False), datetime.now(UTC)
        headers = {
            "webhook-id": f"m{n}",
            "webhook-timestamp": str(int(at.timestamp())),
            "content-type": "application/json",
        }
        signature = Webhook(secret).sign(f"m{n}", at, raw)
        signed = {**headers, "webhook-signature": signature}
        answer = client.post("/api/v1/push/hotline", content=raw.encode(), headers=signed)
        assert answer.is_success or n, answer.text
    client.post("/api/v1/push/hotline", content=TOLD.encode(), headers={"webhook-signature": PHONE})


def _import(town: Town) -> None:
    folder = town.stand.home / "to-import"
    folder.mkdir(exist_ok=True)
    (folder / "m.toml").write_text(
        'system = "canary"\ntime_formats = ["%Y-%m-%d %H:%M:%S"]\nutc_offset = "+08:00"\nempty = [""]\n'
        '[columns]\nid = "ID"\noccurred_at = "AT"\nstreet = "ST"\ncategory = "C"\ncategory_name = "CN"\n'
        'place = "P"\ntext = "T"\n'
    )
    rows = f"ID,AT,ST,C,CN,P,T\n1,2026-01-02 03:04:05,441802001,0302,垃圾,{PLACE},{TOLD}\n2,{PHONE},{NAME},,,,{TOLD}\n"
    (folder / "f.csv").write_text(rows, "utf-8")
    town.stand.grid("import", str(folder / "f.csv"), "--mapping", str(folder / "m.toml"), check=False)
    for path in folder.iterdir():  # the operator's own files, with the rows that were not taken
        path.unlink()


def _everywhere(town: Town, city: City, happened: dict[str, str]) -> Iterator[Found]:
    """Where what names a person must not be."""
    yield from _outside(town, city, happened, PERSONAL)
    yield from in_topics(f"127.0.0.1:{town.stand.environment['GRID_KAFKA_PORT']}", PERSONAL)
    yield from in_tables(town.stand.database_url, PERSONAL)
    yield from in_files(town.stand.home / "media", PERSONAL)
    exported = town.person("lingdao").dispatch.get("/api/v1/export/cases.csv").raise_for_status().content
    yield from in_bytes("the file of cases", exported, PERSONAL)
    case = town.person("shouli").look(happened["registered"]).content
    yield from in_bytes("the page of a case", case, PERSONAL)


def _outside(town: Town, city: City, happened: dict[str, str], words: Sequence[str]) -> Iterator[Found]:
    """Where nothing that people wrote must be."""
    yield from in_files(town.stand.home / "logs", words)
    yield from in_bytes("what the supervisor says", (town.stand.home / "up.log").read_bytes(), words)
    yield from in_metrics(town.stand.home, words)
    with city.lock:
        attempts = list(city.attempts)
    for attempt in attempts:
        yield from in_bytes("a webhook", attempt.raw + str(dict(attempt.headers)).encode(), words)
    nobody = town.client("intake")
    yield from in_bytes("the progress page", nobody.get(happened["track"]).raise_for_status().content, words)
    listed = nobody.get("/open311/v2/requests.json", params={"extensions": "true"})
    yield from in_bytes("the public list of requests", listed.raise_for_status().content, words)
    yield from in_bytes(
        "the counts", town.stand.grid("count", "--by", "street,category,unit", "--csv").stdout.encode(), words
    )


def test_nobody_can_be_found_in_what_others_read(town: Town, city: City, happened: dict[str, str]) -> None:
    assert sorted(set(_everywhere(town, city, happened))) == []


def test_what_people_wrote_and_where_they_live_stays_with_those_who_work_on_it(
    town: Town, city: City, happened: dict[str, str]
) -> None:
    assert sorted(set(_outside(town, city, happened, (WORD, DOOR)))) == []
    handler = town.person("zhibu01").look(happened["registered"]).text
    assert WORD in handler
    assert DOOR in handler


def test_the_search_finds_what_is_planted(town: Town, city: City, happened: dict[str, str]) -> None:
    """One leak in each place: without this, a search that looks nowhere would pass."""
    broker = f"127.0.0.1:{town.stand.environment['GRID_KAFKA_PORT']}"
    planted = town.stand.home / "logs" / "planted.log"
    planted.write_text(json.dumps({"event": f"sent to {NAME}"}))
    picture = town.stand.home / "media" / "planted.jpg"
    picture.write_bytes(photo())
    try:
        with psycopg.connect(town.stand.database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE intake.planted (body jsonb, raw bytea)")
            connection.execute("INSERT INTO intake.planted VALUES (%s, %s)", [json.dumps({"n": NAME}), MAIL.encode()])
            try:
                tables = dict(in_tables(town.stand.database_url, (NAME,)))
                raw = dict(in_tables(town.stand.database_url, (MAIL,)))
            finally:
                connection.execute("DROP TABLE intake.planted")
        httpx.post(f"http://{city.address}/hook", content=PHONE.encode(), headers={"webhook-id": "planted"})
        assert "table intake.planted" in tables
        assert "table intake.planted" in raw
        assert ("topic grid.planted", PLATE) in asyncio.run(_with_planted(broker))
        assert ("topic grid.case.v1", happened["case_no"]) in in_topics(broker, (happened["case_no"],))
        assert ("file logs/planted.log", NAME) in list(in_files(town.stand.home / "logs", (NAME,)))
        assert ("file media/planted.jpg", PHONE) in list(in_files(town.stand.home / "media", (PHONE,)))
        assert ("a webhook", PHONE) in list(_outside(town, city, happened, (PHONE,)))
        assert list(in_metrics(town.stand.home, ("grid_",)))
    finally:
        planted.unlink()
        picture.unlink()
        with city.lock:
            city.attempts[:] = [one for one in city.attempts if one.headers.get("webhook-id") != "planted"]


async def _with_planted(broker: str) -> list[Found]:
    """What the search finds of a topic with one message, that is gone again afterwards."""
    admin, producer = AIOKafkaAdminClient(bootstrap_servers=broker), AIOKafkaProducer(bootstrap_servers=broker)  # type: ignore[no-untyped-call]
    await admin.start()  # type: ignore[no-untyped-call]
    await admin.create_topics([NewTopic("grid.planted", 1, 1)])
    try:
        await producer.start()
        await producer.send_and_wait("grid.planted", f"seen {PLATE}".encode())
        return await topics_with(broker, (PLATE,))
    finally:
        await producer.stop()
        await admin.delete_topics(["grid.planted"])
        await admin.close()  # type: ignore[no-untyped-call]
