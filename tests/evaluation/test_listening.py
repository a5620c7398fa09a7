import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from backbeat.errors import InputError, OutputError
from backbeat.evaluation.listening import build_page, choose_systems, level, write_listening_test
from backbeat.evaluation.results import REAL
from backbeat.render.loudness import measure_loudness
from tests.evaluation.fabricate import HOSTILE, make_report
from tests.evaluation.pages import Page

SYSTEMS = [REAL, "drummer", "rock loop"]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return make_report(tmp_path_factory.mktemp("songs"), 4)


@pytest.fixture(scope="module")
def kit(report, tmp_path_factory):
    return write_listening_test(report, tmp_path_factory.mktemp("test"), systems=SYSTEMS, songs=2, seconds=4.0)


def read_config(page):
    return json.loads(re.search(r'<script type="application/json" id="config">(.*?)</script>', page, re.DOTALL)[1])


@pytest.mark.slow
def test_key_page_and_clips_agree(kit):
    key, config = json.loads(kit.key.read_text()), read_config(kit.page.read_text())
    names = [name for trial in config["trials"] for name in trial]
    assert sorted(names) == sorted(key["clips"]) == sorted(p.stem for p in (kit.page.parent / "clips").iterdir())
    assert config["test"] == key["test"] and kit.songs == 2
    for trial in config["trials"]:
        assert len({key["clips"][name]["song"] for name in trial}) == 1
        assert sorted(key["clips"][name]["system"] for name in trial) == sorted(SYSTEMS)


@pytest.mark.slow
def test_the_page_does_not_say_whose_a_clip_is(kit, report):
    page = kit.page.read_text()
    for name in [*SYSTEMS, "songs:validation", HOSTILE, *(r.case.piece.name for r in report.results)]:
        assert name not in page
    assert all(trial == sorted(trial) for trial in read_config(page)["trials"])


@pytest.mark.slow
def test_the_clips_of_a_song_are_equally_loud_and_long(kit):
    key = json.loads(kit.key.read_text())
    for song in {clip["song"] for clip in key["clips"].values()}:
        sounds = [soundfile.read(kit.page.parent / "clips" / f"{n}.mp3") for n, c in key["clips"].items() if c["song"] == song]
        loud = [measure_loudness(samples.astype(np.float32)) for samples, _ in sounds]
        assert max(loud) - min(loud) < 1.0 and max(loud) <= -19.0
        assert len({(len(samples), rate) for samples, rate in sounds}) == 1
        assert all(np.abs(samples).max() > 0.02 for samples, _ in sounds)
        assert len({samples.tobytes() for samples, _ in sounds}) == len(SYSTEMS)


@pytest.mark.slow
def test_the_same_report_and_seed_give_the_same_test_and_another_seed_other_names(report, tmp_path):
    def write(folder, seed):
        kit = write_listening_test(report, tmp_path / folder, systems=SYSTEMS, songs=1, seconds=2.0, seed=seed)
        return {p.relative_to(tmp_path / folder): p.read_bytes() for p in (tmp_path / folder).rglob("*") if p.is_file()}, kit

    (first, _), (again, _), (other, _) = write("a", 0), write("b", 0), write("c", 1)
    assert first == again
    assert not {p.stem for p in first if p.suffix == ".mp3"} & {p.stem for p in other}


@pytest.mark.slow
def test_two_tests_never_share_a_name_nor_a_folder(report, kit, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "key.json").write_text(kit.key.read_text())
    first = report.results[0]
    changed = replace(first, hits=first.hits | {"drummer": ~first.hits["drummer"]})
    other = replace(report, results=[changed, *report.results[1:]])
    with pytest.raises(OutputError, match="holds another listening test, whose key would be lost: name a new folder"):
        write_listening_test(other, tmp_path / "a", systems=SYSTEMS, songs=2, seconds=4.0)
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["key.json"]
    again = write_listening_test(other, tmp_path / "b", systems=SYSTEMS, songs=1, seconds=1.0)
    assert json.loads(again.key.read_text())["test"] != json.loads(kit.key.read_text())["test"]


@pytest.mark.slow
def test_a_song_that_cannot_be_played_is_left_out_with_the_reason(report, tmp_path):
    first = report.results[0]
    gone = replace(first, case=replace(first.case, source=replace(first.case.source, path="gone.mid")))
    kit = write_listening_test(replace(report, results=[gone, report.results[1]]), tmp_path, systems=SYSTEMS, songs=2, seconds=2.0)
    assert kit.songs == 1 and "cannot be read" in kit.left_out[HOSTILE]


def test_a_test_without_a_song_is_refused(report, tmp_path):
    with pytest.raises(InputError, match="two or more different systems"):
        write_listening_test(replace(report, results=[]), tmp_path)


def test_a_model_that_played_nothing_is_not_tested(report, tmp_path):
    silent = [replace(r, hits={n: h for n, h in r.hits.items() if n != "drummer"}) for r in report.results]
    with pytest.raises(InputError, match="drummer played nothing here"):
        write_listening_test(replace(report, results=silent), tmp_path)


def test_players_with_history_are_not_asked_to_compete(report):
    assert choose_systems(report)[:2] == [REAL, "drummer"]
    assert not any("history" in name for name in choose_systems(report))


@pytest.mark.parametrize(("systems", "message"), [(["drummer", "nobody"], "nothing was played by nobody: choose from real drums"), ([REAL], "two or more")])
def test_systems_must_have_played_and_be_two(report, tmp_path, systems, message):
    with pytest.raises(InputError, match=message):
        write_listening_test(report, tmp_path, systems=systems)


def test_sounds_are_brought_to_one_loudness_without_clipping():
    wave = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)[:, None].astype(np.float32)
    peaky = 0.01 * wave
    peaky[1000:1050] = 0.9
    levelled = level([wave, 0.05 * wave, peaky])
    loud = [measure_loudness(s) for s in levelled]
    assert max(loud) - min(loud) < 0.1 and max(np.abs(s).max() for s in levelled) <= 0.951
    with pytest.raises(InputError, match="silent"):
        level([wave, np.zeros_like(wave)])


def test_the_page_is_sound_html_and_can_be_used_without_a_mouse():
    text = build_page("abc", [["b2", "a1"], ["c3", "d4"]])
    page = Page(text)
    assert not page.faults and page.list_loaded() == [] and "http" not in text and "/*" + "config*/" not in text
    assert read_config(text)["trials"] == [["a1", "b2"], ["c3", "d4"]]
    assert "localStorage" in text and '"backbeat-listening-answers"' in text and 'type: "radio"' in text
    assert io.StringIO(text).readline() == "<!DOCTYPE html>\n"
