import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.render import fontcache
from backbeat.render.soundfont import GAP, PRESET, SAMPLE, build_soundfont, expand_soundfont, parse_soundfont
from tests.render.fonts import FRAMES, LOOP, make_font, tone


def read_presets(data):
    rows = np.frombuffer(parse_soundfont(data).tables[b"phdr"], dtype=PRESET)[:-1]
    return {(int(row["bank"]), int(row["program"])) for row in rows}


def test_parse_and_build_are_inverse():
    data = make_font(vorbis=False)
    assert build_soundfont(parse_soundfont(data)) == data


def test_vorbis_samples_become_frames_with_absolute_loops():
    font = parse_soundfont(expand_soundfont(make_font()))
    header = np.frombuffer(font.tables[b"shdr"], dtype=SAMPLE)[0]
    assert (header["start"], header["end"], header["kind"], header["rate"]) == (0, FRAMES, 1, 32_000)
    assert (header["loop"], header["loop_end"]) == LOOP
    samples = np.frombuffer(font.samples, dtype="<i2")
    assert len(samples) == FRAMES + GAP
    assert not samples[FRAMES:].any()
    assert np.corrcoef(samples[:FRAMES], tone())[0, 1] > 0.99
    assert dict(font.info)[b"ifil"] == b"\x02\0\x01\0"


def test_missing_programs_and_kits_get_stand_ins():
    presets = read_presets(expand_soundfont(make_font()))
    assert {(0, p) for p in (0, 7, 32, 36, 37)} | {(128, p) for p in range(128)} <= presets
    assert (0, 73) not in presets  # no flute, and no relative of one


def test_a_stand_in_has_zones_of_its_own():
    tables = parse_soundfont(expand_soundfont(make_font())).tables
    rows = np.frombuffer(tables[b"phdr"], dtype=PRESET)
    assert (np.diff(rows["bag"].astype(int)) == 1).all()
    zones = np.frombuffer(tables[b"pbag"], dtype="<u2").reshape(-1, 2)
    assert zones[:, 0].tolist() == list(range(len(rows)))
    assert len(tables[b"pgen"]) == 4 * len(rows)


def test_sf2_is_left_as_it_is():
    data = make_font(vorbis=False)
    assert expand_soundfont(data) is data


@pytest.mark.parametrize("data", [b"", b"MThd" + bytes(40), b"RIFF\x04\0\0\0sfbk", make_font()[:-50]])
def test_what_is_no_soundfont_is_refused(data):
    with pytest.raises(InputError, match="SoundFont"):
        expand_soundfont(data)


def test_a_damaged_sample_is_refused():
    data = make_font().replace(b"OggS", b"Egg!")
    with pytest.raises(InputError, match="cannot be decoded"):
        expand_soundfont(data)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(fontcache, "list_cache_folders", lambda: (tmp_path / "cache",))
    fontcache.load_soundfont.cache_clear()
    yield tmp_path / "cache"
    fontcache.load_soundfont.cache_clear()


def test_the_expanded_font_is_kept(cache, tmp_path, monkeypatch):
    (tmp_path / "font.sf3").write_bytes(make_font())
    first = fontcache.load_soundfont(tmp_path / "font.sf3")
    (kept,) = cache.iterdir()
    assert kept.read_bytes() == first
    fontcache.load_soundfont.cache_clear()
    monkeypatch.setattr(fontcache, "expand_soundfont", lambda data: pytest.fail("expanded twice"))
    assert fontcache.load_soundfont(tmp_path / "font.sf3") == first


def test_a_damaged_cached_file_is_made_anew(cache, tmp_path):
    (tmp_path / "font.sf3").write_bytes(make_font())
    first = fontcache.load_soundfont(tmp_path / "font.sf3")
    (kept,) = cache.iterdir()
    kept.write_bytes(first[:100])
    fontcache.load_soundfont.cache_clear()
    assert fontcache.load_soundfont(tmp_path / "font.sf3") == first
    assert kept.read_bytes() == first


def test_a_cache_that_cannot_be_written_is_no_error(cache, tmp_path):
    cache.write_text("a file where the folder should be")
    (tmp_path / "font.sf3").write_bytes(make_font())
    assert fontcache.load_soundfont(tmp_path / "font.sf3")[:4] == b"RIFF"


def test_a_missing_soundfont_is_told_in_one_line(cache, tmp_path):
    with pytest.raises(InputError, match=r"none\.sf2: the SoundFont cannot be read"):
        fontcache.load_soundfont(tmp_path / "none.sf2")
