"""What a stranger's file, page or program cannot do to the studio."""

import json
import zipfile

import httpx
import pytest

from tests.midi.builders import Track, chunk, midi
from tests.studio.conftest import BINARY, PORT, Client

JSON = {"content-type": "application/json"}


def post_raw(client, path, body, kind="application/json"):
    return client.post(path, content=body, headers={"content-type": kind})


def check_refused(answer, *statuses):
    assert answer.status_code in statuses, answer.text
    assert set(answer.json()) <= {"error", "revision"} and "\n" not in answer.json()["error"] and "Traceback" not in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", f"127.0.0.1.evil.example:{PORT}", "", f"0.0.0.0:{PORT}"]
)
def test_a_name_that_points_here_is_turned_away(client, host):
    for path in ("/", "/api/about", "/sounds/band.sf3", "/static/studio.js"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == 421 and "error" in answer.json()


@pytest.mark.parametrize("host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"])
def test_this_machine_is_let_in(client, host):
    assert client.get("/api/about", headers={"host": host}).status_code == 200


def test_two_hosts_are_one_too_many(client):
    assert client.request("GET", "/api/about", headers=[("host", f"127.0.0.1:{PORT}"), ("host", "evil.example")]).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"https://127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT + 1}", "file://", ""])
def test_another_pages_requests_are_turned_away(page, song, origin):
    project = page.upload(song)["id"]
    for method, path in (
        ("GET", "/api/projects"),
        ("POST", "/api/projects"),
        ("POST", f"/api/projects/{project}/undo"),
        ("DELETE", f"/api/projects/{project}"),
    ):
        answer = page.client.request(method, path, content=b"{}" if method == "POST" else None, headers=JSON | {"origin": origin})
        check_refused(answer, 403)
        assert "access-control-allow-origin" not in answer.headers
    assert page.client.get(f"/api/projects/{project}").status_code == 200


def test_our_own_page_is_let_in(client, song):
    assert (
        client.post("/api/projects", content=song, headers=BINARY | {"origin": f"http://127.0.0.1:{PORT}", "sec-fetch-site": "same-origin"}).status_code == 201
    )


def test_a_change_asked_for_across_sites_is_turned_away_without_an_origin_too(client, song):
    check_refused(client.post("/api/projects", content=song, headers=BINARY | {"sec-fetch-site": "cross-site"}), 403)


def test_no_preflight_is_answered(client):
    answer = client.request("OPTIONS", "/api/projects", headers={"origin": "http://evil.example", "access-control-request-method": "POST"})
    assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonp"])
def test_what_a_form_can_send_is_not_taken(client, kind):
    check_refused(post_raw(client, "/api/projects", b"{}", kind), 415)


def test_actions_must_be_json(page, song):
    project = page.upload(song)["id"]
    check_refused(post_raw(page.client, f"/api/projects/{project}/actions", b"{}", "application/octet-stream"), 415)


def test_every_answer_keeps_the_page_to_itself(client):
    for path in ("/", "/api/about", "/api/nothing", "/static/nothing", "/sounds/band.sf3"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe-eval'" not in policy.replace("wasm-unsafe-eval", "") and "http" not in policy
        assert "script-src 'self' 'wasm-unsafe-eval';" in policy and "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_200_mb_are_cut_off_and_not_kept(client, server):
    import tracemalloc

    sent = 0

    async def stream():
        nonlocal sent
        for _ in range(200):
            sent += 1 << 20
            yield bytes(1 << 20)

    tracemalloc.start()
    answer = client.post("/api/projects", content=stream(), headers=BINARY)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    check_refused(answer, 413)
    assert peak < 48 << 20 and server.store.list() == [] and sent


def test_a_json_body_that_is_too_long_is_cut_off(page, song):
    project = page.upload(song)["id"]
    check_refused(post_raw(page.client, f"/api/projects/{project}/actions", b'{"revision": null, "x": "' + b"x" * (5 << 20) + b'"}'), 413)


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'"x"',
    b'{"action": NaN}',
    b'{"action": 1e999}',
    b'{"revision": Infinity}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"revision": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("body", BODIES, ids=lambda b: b[:12].decode("latin-1"))
@pytest.mark.parametrize("what", ["actions", "undo", "goto", "renders"])
def test_garbage_is_one_line(page, song, body, what):
    project = page.upload(song)["id"]
    check_refused(post_raw(page.client, f"/api/projects/{project}/{what}", body), 400)


ACTIONS = [
    None, 5, [], {}, {"type": 5}, {"type": "explode"}, {"type": "__class__"}, {"type": "edit"}, {"type": "edit", "cells": [{"step": -1, "class": 0, "velocity": 5}]},
    {"type": "edit", "cells": [{"step": 10**30, "class": 0, "velocity": 5}]}, {"type": "edit", "cells": [{"step": 0, "class": "tabla", "velocity": 5}]},
    {"type": "edit", "cells": [{"step": 0, "class": 0, "velocity": 128}]}, {"type": "edit", "cells": [{"step": 0.5, "class": 0, "velocity": 5}]},
    {"type": "edit", "cells": [{"step": 0, "class": 0, "velocity": 5, "offset": 1e300}]}, {"type": "edit", "cells": [{"step": 0, "class": 0, "velocity": True}]},
    {"type": "lock", "bars": [10**9], "classes": None}, {"type": "lock", "bars": "all", "classes": ["kick"]}, {"type": "take", "index": -1}, {"type": "take", "index": 10**400},
    {"type": "generate", "takes": 10**9}, {"type": "generate", "takes": -1}, {"type": "generate", "seed": "x"}, {"type": "redo", "bars": [-1]}, {"type": "redo", "classes": ["x" * 10**5]},
    {"type": "settings", "scope": "song", "values": {"density": 1e308}}, {"type": "settings", "scope": {"bar": 10**9}, "values": {}},
    {"type": "settings", "scope": "song", "values": {"style": "polka"}}, {"type": "settings", "scope": "song", "values": {"temperature": "hot"}}, {"type": "rename_take", "index": 0, "name": 7},
]  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: json.dumps(a)[:40])
def test_actions_that_make_no_sense_change_nothing(page, song, action):
    project = page.upload(song)["id"]
    before = page.state(project)
    check_refused(page.client.post(f"/api/projects/{project}/actions", json={"revision": None, "action": action}), 400)
    assert page.state(project) == before


@pytest.mark.parametrize("revision", ["1", 1.5, True, [], -1, 10**30])
def test_a_revision_is_a_whole_number(page, song, revision):
    project = page.upload(song)["id"]
    check_refused(page.client.post(f"/api/projects/{project}/actions", json={"revision": revision, "action": {"type": "clear"}}), 400, 409)


@pytest.mark.parametrize("entry", [-1, 99, 10**40, "0", "../x", None, 1.5, True, [0]])
def test_an_entry_is_one_of_the_history(page, song, entry):
    project = page.upload(song)["id"]
    check_refused(page.client.post(f"/api/projects/{project}/goto", json={"revision": None, "entry": entry}), 400, 404)


@pytest.mark.parametrize(
    "blank",
    [
        {"bars": 0},
        {"bars": -5},
        {"bars": 10**9},
        {"bars": 1e300},
        {"bars": "8"},
        {"bars": True},
        {"bars": 1.5},
        {"metre": "0/0"},
        {"metre": "4/3"},
        {"metre": [4, 4]},
        {"qpm": 0},
        {"qpm": -1},
        {"qpm": 1e9},
    ],
)
def test_bars_without_a_song_are_bounded(client, server, blank):
    check_refused(client.post("/api/projects/blank", json={"name": "x", **blank}), 400)
    assert server.store.list() == []


PLACES = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/api.py",
    "....//api.py",
    "/etc/passwd",
    "..\\..\\api.py",
    "%00",
    "static/../../app.py",
    "C:/x",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("below", ["/static/", "/sounds/", "/api/projects/", "/api/jobs/", "/"])
def test_no_address_leads_out(client, place, below):
    answer = client.get(below + place)
    assert answer.status_code in (400, 404, 405) or (below == "/" and answer.status_code in (404, 200))
    assert b"root:" not in answer.content and b"import" not in answer.content


@pytest.mark.parametrize("place", ["x", "..", "a/b", "%2e%2e", "0" * 16, "g" * 16, "0" * 4000])
def test_ids_that_are_none(client, place):
    for path in (
        f"/api/projects/{place}",
        f"/api/projects/{place}/playback",
        f"/api/jobs/{place}",
        f"/api/jobs/{place}/result",
        f"/api/projects/{place}/download/song.mid",
    ):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/x.mid",
        "..\\..\\x.mid",
        "a\r\nset-cookie: x=1.mid",
        'a"; filename="b.exe',
        "x" * 5000 + ".mid",
        "<script>alert(1)</script>.mid",
        "",
        "ünïcödé ♪.mid",
        "\x00.mid",
        "CON.mid",
    ],
)
def test_names_are_only_labels(page, server, song, name):
    view = page.upload(song, name)
    assert len(view["name"]) <= 120 and view["name"].isprintable() and view["name"]
    page.edit(view["id"], (0, "kick", 100))
    answer = page.client.get(f"/api/projects/{view['id']}/download/song.mid")
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="') and disposition.count('"') == 2 and "set-cookie" not in answer.headers
    plain = disposition.split('"')[1]
    assert "/" not in plain and "\\" not in plain and not plain.startswith(".") and len(disposition) < 2000
    assert sorted(p.name for p in server.store.home.parent.iterdir()) == ["home"]


FILES = {
    "nothing": b"", "text": b"hello", "only a header": b"MThd\0\0\0\6\0\1\0\1\1\xe0", "cut off": b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\xff\xff\0", "a zip that is none": b"PK\x03\x04" + bytes(100),
    "no tracks": b"MThd\0\0\0\6\0\1\0\0\1\xe0", "html": b"<!doctype html><script>alert(1)</script>", "wave": b"RIFF\0\0\0\0WAVEfmt ",
}  # fmt: skip


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_files_that_are_no_songs(client, server, data):
    check_refused(client.post("/api/projects", params={"name": "x.mid"}, content=data, headers=BINARY), 400)
    assert server.store.list() == [] and not [p for p in server.store.home.iterdir() if p.is_dir()]


def test_a_note_years_behind_the_end_is_refused(client):
    bomb = midi(Track().tempo(0, 1).note(0, 10, 60).note(0x0FFFFFF0, 10, 60).chunk())
    check_refused(client.post("/api/projects", content=bomb, headers=BINARY), 400)


@pytest.mark.slow
def test_a_bomb_of_notes_is_answered_in_seconds(page):
    import time

    track = b"".join(bytes([k % 7 == 0, 0x90 | k % 8, k % 128, 1 + k % 127]) for k in range(400_000)) + b"\0\xff\x2f\0"
    started = time.monotonic()
    answer = page.client.post("/api/projects", content=midi(chunk(b"MTrk", track)), headers=BINARY)
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        played = page.client.get(f"/api/projects/{answer.json()['id']}/playback").json()
        assert sum(len(p["notes"]) for p in played["parts"]) <= 200_000 and played["truncated"]
    assert time.monotonic() - started < 30


@pytest.mark.slow
def test_a_bomb_of_controllers_is_thinned(page):
    turns = b"".join(bytes([k % 4 == 0, 0xB0, 11, k * 37 % 128]) for k in range(100_000))
    view = page.upload(midi(chunk(b"MTrk", b"\0\x90\x3c\x40" + turns + b"\0\x80\x3c\x40\0\xff\x2f\0")))
    assert len(page.client.get(f"/api/projects/{view['id']}/playback").json()["controls"]) <= 60_000


@pytest.mark.slow
def test_a_zip_bomb_is_refused(client, tmp_path):
    path = tmp_path / "bomb.backbeat"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in ("project.json", "song.mid", "journal.jsonl", "../../x"):
            bomb.writestr(name, bytes(30 << 20))
    check_refused(client.post("/api/projects", content=path.read_bytes(), headers=BINARY), 400)
    assert not (tmp_path / "x").exists()


def test_a_bug_is_told_in_one_line_without_its_insides(server, monkeypatch):
    from backbeat.studio.app import make_app
    from backbeat.studio.events import Newsroom

    def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(server.store, "list", fail)
    answer = Client(make_app(server, Newsroom(), PORT)).get("/api/projects")
    check_refused(answer, 500)
    assert "secret" not in answer.text and isinstance(answer, httpx.Response)
    assert answer.headers["x-content-type-options"] == "nosniff"
