from itertools import pairwise

import numpy as np
import pytest

from backbeat.composing import NAMES, compose, plan_form
from backbeat.drummer import Drummer, load_drummer
from backbeat.errors import InputError
from backbeat.metrics.form import measure_curve
from backbeat.midi import parse_song
from backbeat.tonality.scales import list_scale, parse_key
from backbeat.touch import TYPED


@pytest.fixture(scope="module")
def drummer() -> Drummer:
    return load_drummer()


@pytest.mark.parametrize("bars", [4, 7, 8, 15, 16, 23, 24, 33, 64, 100, 512])
@pytest.mark.parametrize("novelty", [0, 0.5, 1])
def test_a_form_covers_the_song_without_gaps(bars, novelty):
    form = plan_form(bars, novelty, 3)
    assert form[0].first == 0 and sum(s.bars for s in form) == bars
    assert all(a.first + a.bars == b.first for a, b in pairwise(form))
    assert {s.name for s in form} <= set(NAMES.values())


def test_novelty_decides_what_returns():
    same, new = plan_form(128, 0, 1), plan_form(128, 1, 1)
    assert len({s.groove for s in same if s.name == "chorus"}) == 1
    body = [s.groove for s in new if s.name not in ("intro", "ending")]
    assert len(set(body)) == len(body), "every section has its own groove"
    counts = [np.mean([len({s.groove for s in plan_form(128, n, seed)}) for seed in range(10)]) for n in (0, 0.3, 0.6, 1)]
    assert counts == sorted(counts) and counts[0] < counts[-1]


@pytest.mark.parametrize(("bars", "novelty"), [(3, 0.2), (513, 0.2), (64, -0.1), (64, 1.5), (64, float("nan"))])
def test_a_form_out_of_range_is_refused(bars, novelty):
    with pytest.raises(InputError, match="4-512 bars"):
        plan_form(bars, novelty)


@pytest.mark.slow
def test_a_song_is_composed(drummer):
    song = compose(drummer, 32, "Dm", tempo=96, style="rock", seed=2)
    again = compose(drummer, 32, "Dm", tempo=96, style="rock", seed=2)
    data = song.encode()
    assert data == again.encode() != compose(drummer, 32, "Dm", tempo=96, style="rock", seed=3).encode()
    read = parse_song(data)
    assert [p.name for p in read.band] == ["Bass", "Chords", "Lead"] and len(read.drum_parts) == 1
    assert read.grid().bars == 32 and round(read.tempo.qpm()) == 96
    tones = set(list_scale(parse_key("Dm")))
    for part in read.band:
        outside = [int(p) % 12 not in tones for p in part.notes["pitch"]]
        assert np.mean(outside) < 0.2, f"{part.name} leaves the key"
    names = [s.name for s in song.sections]
    assert names[0] == "intro" and names[-1] == "ending" and "verse" in names and "chorus" in names
    lead = read.band[2].notes["onset"] // 1920
    assert not np.any(lead < 4) and not np.any(lead >= 28), "the lead rests in the intro and the ending"
    assert song.drums.bar(31).sum() == 2, "the last bar has one stroke"
    for section in song.sections[1:]:
        assert song.drums.bar(section.first)[0, song.drums.kit.index("crash")]


@pytest.mark.slow
def test_sections_that_are_alike_come_back(drummer):
    song = compose(drummer, 52, "G", novelty=0, seed=5, touch=TYPED)
    verses = [s for s in song.sections if s.name == "verse"]
    first = song.drums.grid.first_steps

    def middle(section):  # without the crash at its head and the fill at its end
        return song.drums.hits[first[section.first + 1] : first[section.first + section.bars - 1]]

    assert len(verses) > 1 and np.array_equal(middle(verses[0]), middle(verses[1]))
    nine = np.stack([song.drums.hits[:, drummer.model.group == c].any(axis=1) for c in range(9)], axis=1)
    curve = measure_curve(nine, first)
    assert curve[15] > np.nanmean(curve[:32]) - 0.2


@pytest.mark.slow
@pytest.mark.parametrize("metre", [(3, 4), (6, 8), (7, 8)])
def test_other_metres(drummer, metre):
    song = parse_song(compose(drummer, 16, "Bb", metre=metre, seed=1).encode())
    assert set(zip(song.grid().numerators, song.grid().denominators, strict=True)) == {metre}
    assert all(len(p.notes) for p in song.band[:2])


@pytest.mark.parametrize("bars", [4, 7, 16, 17, 23])
def test_short_songs_begin_with_the_first_groove_and_end_with_one_that_was_heard(bars):
    for seed in range(20):
        form = plan_form(bars, 0.9, seed)
        assert form[0].groove == 0 and sum(section.bars for section in form) == bars
        assert form[-1].name != "ending" or form[-1].groove in {section.groove for section in form[:-1]}
