import mido
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backbeat.datasets.steps import encode_steps
from backbeat.midi import parse_song

BEAT = np.array([[100, 0], [0, 0], [0, 90], [0, 0]], np.uint8)


def test_a_pattern_as_bytes():
    assert encode_steps(BEAT, [36, 38]).hex(" ") == (
        "4d 54 68 64 00 00 00 06 00 00 00 01 01 e0 "  # MThd, format 0, 1 track, 480 ticks a quarter
        "4d 54 72 6b 00 00 00 16 "
        "00 99 24 64 3c 89 24 40 "  # kick at 0, half a step long
        "81 34 99 26 5a 3c 89 26 40 "  # snare at 240
        "81 34 ff 2f 00"  # the end of step 4, at 480
    )


def test_a_tempo_and_another_grid():
    song = parse_song(encode_steps(BEAT, [36, 38], ticks_per_quarter=360, ticks_per_step=120, qpm=96))
    assert song.tempo.ticks_per_quarter == 360 and song.tempo.qpm() == 96
    assert song.drum_parts[0].notes["onset"].tolist() == [0, 240]
    assert song.end_tick == 480


@given(velocities=hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.just(3)), elements=st.integers(0, 127)))
def test_every_hit_comes_back(velocities, tmp_path_factory):
    path = tmp_path_factory.mktemp("steps") / "a.mid"
    path.write_bytes(encode_steps(velocities, [36, 38, 42]))
    file, tick, found = mido.MidiFile(path), 0, np.zeros_like(velocities)
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "note_on":
            assert message.channel == 9
            found[tick // 120, [36, 38, 42].index(message.note)] = message.velocity
    assert (found == velocities).all() and tick == 120 * len(velocities)
