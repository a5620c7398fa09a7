"""What the page may rely on: every address, and the shape of what it answers."""

import io
import json
import zipfile

import numpy as np
import pytest

from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song
from backbeat.midi.splice import list_events
from tests.midi.builders import Track, band_song, midi

STATE = {"revision", "entry", "can_undo", "can_redo", "label", "settings", "sections", "bars", "takes", "take", "locks"}


def test_about_says_what_can_be_asked_for(client):
    about = client.get("/api/about").json()
    assert {"version", "styles", "kit", "kits", "limits"} <= set(about)
    kit = load_kit("backbeat")
    assert [(c["name"], c["label"], c["note"]) for c in about["kit"]["classes"]] == [(c.name, c.label, c.write) for c in kit.classes]
    assert about["styles"][0] == "any" and about["kits"][0]["name"] == "backbeat"


def test_every_class_is_a_stroke_on_one_piece(client):
    kit = client.get("/api/about").json()["kit"]
    strokes = [name for piece in kit["pieces"] for name in piece["classes"]]
    assert sorted(strokes) == sorted(c["name"] for c in kit["classes"])
    assert {c["name"]: c["piece"] for c in kit["classes"]} == {name: piece["name"] for piece in kit["pieces"] for name in piece["classes"]}


def test_a_song_becomes_a_project(page, song):
    view = page.upload(song, "A song.mid")
    assert {"id", "name", "blank", "song", "state"} <= set(view)
    assert view["name"] == "A song" and view["blank"] is False and set(view["state"]) == STATE
    shown = view["song"]
    assert [(b["numerator"], b["denominator"], b["steps"], b["first_step"], b["qpm"]) for b in shown["bars"]] == [(4, 4, 16, 16 * k, 120.0) for k in range(4)]
    assert shown["steps"] == 64 and np.allclose(shown["step_seconds"], np.arange(65) * 0.125)
    assert [(p["name"], p["drums"]) for p in shown["parts"]] == [("Bass", False), ("Piano", False), ("Drums", True)]
    assert shown["parts"][0]["program_name"] == "Finger Bass"
    assert len(shown["intensity"]) == 4 and all(0 <= x <= 1 for x in shown["intensity"])
    assert sum(s["bars"] for s in shown["sections"]) == 4 and shown["sections"][0] == {"first_bar": 0, "bars": shown["sections"][0]["bars"], "label": "A"}
    assert [p["id"] for p in page.client.get("/api/projects").json()] == [view["id"]]
    assert page.client.get(f"/api/projects/{view['id']}").json() == view


def test_bars_are_shown_in_their_own_metres_and_tempi(page):
    conductor = Track().metre(0, 7, 8).tempo(0, 500_000).metre(1680, 3, 4).tempo(1680, 1_000_000)
    part = Track().name("Bass").program(0, 33).note(0, 240, 40).note(1680, 1440, 40)
    bars = page.upload(midi(conductor.chunk(), part.chunk()))["song"]["bars"]
    assert [(b["numerator"], b["denominator"], b["steps"], b["tick"], b["seconds"], b["qpm"]) for b in bars] == [
        (7, 8, 14, 0, 0, 120),
        (3, 4, 12, 1680, 1.75, 60),
    ]


def test_a_project_without_a_song(page):
    answer = page.client.post("/api/projects/blank", json={"name": "Evening", "bars": 8, "metre": "7/8", "qpm": 90})
    assert answer.status_code == 201
    view = answer.json()
    assert view["blank"] is True and view["name"] == "Evening" and len(view["song"]["bars"]) == 8 and view["song"]["bars"][0]["qpm"] == 90
    assert page.client.get(f"/api/projects/{view['id']}/playback").json()["parts"] == []
    assert page.generate(view["id"])["takes"]


def test_takes_are_made_as_jobs_and_can_be_fetched(page, song):
    view = page.upload(song)
    state = page.generate(view["id"])
    assert len(state["takes"]) == 1 and state["take"] == 0 and state["revision"] > view["state"]["revision"]
    answer = page.client.get(f"/api/projects/{view['id']}/grooves/{state['takes'][0]['groove']}")
    assert "immutable" in answer.headers["cache-control"]
    for bar, hits in answer.json()["bars"].items():
        for step, column, velocity, late in hits:
            assert int(bar) == step // 16 and 0 <= column < 24 and 1 <= velocity <= 127 and -0.5 <= late < 0.5


def test_undo_redo_and_goto(page, song):
    id_ = page.upload(song)["id"]
    one, two = page.edit(id_, (0, "kick", 100)), page.edit(id_, (4, "snare", 90))

    def move(name, **more):
        return page.client.post(f"/api/projects/{id_}/{name}", json={"revision": None, **more}).json()["state"]

    assert move("undo")["takes"] == one["takes"] and move("redo")["takes"] == two["takes"]
    history = page.client.get(f"/api/projects/{id_}/history").json()
    assert [set(h) for h in history] == [{"entry", "parent", "label", "seed", "time"}] * 3 and [h["parent"] for h in history] == [None, 0, 1]
    assert move("goto", entry=0)["takes"] == []
    assert page.client.post(f"/api/projects/{id_}/undo", json={}).status_code == 400


def test_a_stale_revision_is_told_the_new_one(page, song):
    view = page.upload(song)
    page.edit(view["id"], (0, "kick", 100))
    answer = page.act(view["id"], view["state"]["revision"], type="clear")
    assert answer.status_code == 409 and answer.json()["revision"] == page.state(view["id"])["revision"] and answer.json()["error"]


def test_two_tabs_hear_of_each_other(page, server, song):
    heard = []
    end = server.subscribe(heard.append)
    id_ = page.upload(song)["id"]
    state = page.edit(id_, (0, "kick", 100))
    end()
    assert {"project": id_, "revision": state["revision"]} in heard


def test_the_bands_notes_are_in_seconds_and_without_drums(page, song):
    view = page.upload(song)
    played = page.client.get(f"/api/projects/{view['id']}/playback").json()
    assert [p["index"] for p in played["parts"]] == [0, 1] and [p["channel"] for p in played["parts"]] == [0, 1]
    assert played["parts"][0]["notes"][1] == [0.5, 0.875, 34, 100]
    assert played["controls"] == [[0, 0xC0, 33, 0], [0, 0xC1, 0, 0]] and played["duration"] == 7.999
    assert played["truncated"] is False


def test_a_project_can_be_thrown_away(page, song):
    id_ = page.upload(song)["id"]
    assert page.client.delete(f"/api/projects/{id_}").status_code == 200
    assert page.client.get(f"/api/projects/{id_}").status_code == 404 and page.client.get("/api/projects").json() == []


def test_a_project_gets_another_name(page, song):
    id_ = page.upload(song)["id"]
    assert page.client.post(f"/api/projects/{id_}/rename", json={"name": "Evening  song"}).json() == {"name": "Evening song"}
    assert page.client.get(f"/api/projects/{id_}").json()["name"] == page.client.get("/api/projects").json()[0]["name"] == "Evening song"
    for wrong in ({}, {"name": 5}, {"name": " "}):
        assert page.client.post(f"/api/projects/{id_}/rename", json=wrong).status_code == 400
    odd = page.client.post(f"/api/projects/{id_}/rename", content=b'{"name": "a\\ud800\\u0000b"}', headers={"content-type": "application/json"})
    assert odd.json() == {"name": "a b"} and page.client.get(f"/api/projects/{id_}").json()["name"] == "a b", "half a character is none"


def test_the_song_is_downloaded_with_every_byte_of_the_band(page, song):
    id_ = page.upload(song, "My song.mid")["id"]
    page.edit(id_, (0, "kick", 100), (6, "open_hat", 64))
    answer = page.client.get(f"/api/projects/{id_}/download/song.mid")
    assert 'filename="My song-drums.mid"' in answer.headers["content-disposition"]
    assert list_events(answer.content)[:3] == list_events(song)[:3]
    assert [(e[0], e[2]) for e in list_events(answer.content)[-1] if e[1] == 0x99] == [(0, bytes([36, 100])), (720, bytes([46, 64]))]


def test_the_drums_alone_equal_the_grid(page):
    id_ = page.upload(band_song(3, numerator=7, denominator=8))["id"]
    state = page.generate(id_)
    drums = parse_song(page.client.get(f"/api/projects/{id_}/download/drums.mid").content)
    assert not drums.band and (drums.metre.numerators, drums.metre.denominators) == ((7,), (8,))
    grid = drums.grid()
    read = extract_groove(drums, grid, load_kit("backbeat"))[0]
    bars = page.client.get(f"/api/projects/{id_}/grooves/{state['takes'][0]['groove']}").json()["bars"]
    shown = {(step, column, velocity) for hits in bars.values() for step, column, velocity, _ in hits}
    steps, columns = np.nonzero(read.hits)
    velocities = np.floor(read.velocities[steps, columns] * 127 + 0.5).astype(int)
    assert set(zip(steps.tolist(), columns.tolist(), velocities.tolist(), strict=True)) == shown


def test_pieces_have_a_track_each(page, song):
    id_ = page.upload(song)["id"]
    page.edit(id_, (0, "kick", 100), (2, "closed_hat", 80), (3, "open_hat", 80), (4, "snare", 90), (5, "ride_bell", 50))
    read = parse_song(page.client.get(f"/api/projects/{id_}/download/pieces.mid").content)
    found = {p.name: sorted(set(p.notes["pitch"].tolist())) for p in read.parts}
    assert found == {"Kick": [36], "Snare": [38], "Hi-hat": [42, 46], "Ride": [53]} and all(p.channel == 9 for p in read.parts)


def test_a_take_and_a_kit_map_can_be_chosen(page, song):
    id_ = page.upload(song)["id"]
    page.edit(id_, (0, "closed_hat", 100), (4, "cowbell", 90))
    answer = page.client.get(f"/api/projects/{id_}/download/drums.mid", params={"kit": "addictive_drums_2", "take": 0})
    assert sorted(parse_song(answer.content).parts[0].notes["pitch"].tolist()) == [49, 61]
    for wrong, said in (({"kit": "tabla"}, "no kit"), ({"take": 7}, "no take"), ({"take": "-1"}, "take must be"), ({"take": "99999999999999"}, "take must be")):
        refused = page.client.get(f"/api/projects/{id_}/download/drums.mid", params=wrong)
        assert refused.status_code == 400 and said in refused.json()["error"]


def test_without_drums_there_is_nothing_to_take_away(page, song):
    id_ = page.upload(song)["id"]
    for what in ("song.mid", "drums.mid", "pieces.mid"):
        answer = page.client.get(f"/api/projects/{id_}/download/{what}")
        assert answer.status_code == 400 and "no drums yet" in answer.json()["error"]
    assert page.client.post(f"/api/projects/{id_}/renders", json={"what": "song.wav"}).status_code == 400


def test_a_project_file_opens_exactly(page, song):
    id_ = page.upload(song, "Tune.mid")["id"]
    page.edit(id_, (0, "kick", 100))
    page.client.post(f"/api/projects/{id_}/undo", json={})
    data = page.client.get(f"/api/projects/{id_}/download/project.backbeat").content
    assert zipfile.is_zipfile(io.BytesIO(data))
    again = page.upload(data, "whatever.backbeat")
    before = page.client.get(f"/api/projects/{id_}").json()
    assert again["id"] != id_ and again | {"id": id_} == before
    assert page.client.get(f"/api/projects/{again['id']}/history").json() == page.client.get(f"/api/projects/{id_}/history").json()


def test_the_page_the_sounds_and_the_map_are_there(client):
    assert client.get("/").status_code == 200 and "text/html" in client.get("/").headers["content-type"]
    font = client.get("/sounds/band.sf3")
    assert font.content[:4] == b"RIFF" and font.headers["etag"]
    assert client.get("/sounds/band.sf3", headers={"if-none-match": font.headers["etag"]}).status_code == 304


def test_scripts_are_sent_as_scripts(client):
    names = [r for r in ("studio.js", "processor.js") if client.get(f"/static/{r}").status_code == 200]
    if not names:
        pytest.skip("the page is not built: make page")
    assert all("javascript" in client.get(f"/static/{name}").headers["content-type"] for name in names)


@pytest.mark.slow
def test_the_map_is_made_once_and_kept(client, server):
    first = client.get("/map")
    assert first.status_code == 200 and "script-src 'unsafe-inline'" in first.headers["content-security-policy"] and b"<canvas" in first.content
    kept = list(server.store.home.glob("map-*.html"))
    assert len(kept) == 1 and kept[0].read_bytes() == first.content == client.get("/map").content
    assert client.get("/api/projects").json() == [] and "connect-src" not in first.headers["content-security-policy"]


def test_an_unknown_address_says_so_as_json(client):
    for method, path in (("GET", "/api/nothing"), ("GET", "/nothing"), ("GET", "/static/nothing.js"), ("PUT", "/api/projects"), ("DELETE", "/api/about")):
        answer = client.request(method, path, json={} if method == "PUT" else None)
        assert answer.status_code in (404, 405) and list(json.loads(answer.content)) == ["error"]
