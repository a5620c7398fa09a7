from backbeat.datasets import DATASETS
from backbeat.datasets.lstmetallica import TEXT
from tests.datasets.here import find_data, list_here, write_tree


def test_songs_are_metal_and_drums_alone(tmp_path):
    write_tree(tmp_path / "lstmetallica" / "midi", "One.mid", "battery.mid")
    (tmp_path / TEXT).write_text("0b000000000 BAR")
    assert [(s.name, s.genre, s.band) for s in DATASETS["lstmetallica"].list_sources(tmp_path)] == [
        ("One.mid", "metal", False),
        ("battery.mid", "metal", False),
    ]


def test_the_published_text_has_its_length():
    list_here("lstmetallica")
    assert len((find_data() / TEXT).read_bytes()) == 2_141_692
