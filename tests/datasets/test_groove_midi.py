from collections import Counter

import pytest

from backbeat.datasets import DATASETS
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from tests.datasets.here import list_here

INFO = (
    "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split\n"
    "drummer1,drummer1/eval_session,x,funk/groove1,138,beat,4-4,drummer1/eval_session/1.mid,,27.8,test\n"
    "drummer2,drummer2/session2,y,latin,95,fill,6-8,drummer2/session2/2.mid,,2,train\n"
)


def test_takes_are_as_the_table_says(tmp_path):
    (tmp_path / "groove").mkdir()
    (tmp_path / "groove" / "info.csv").write_text(INFO, encoding="utf-8")
    funk, latin = DATASETS["groove_midi"].list_sources(tmp_path)
    assert funk == Source(
        path=str(tmp_path / "groove" / "drummer1/eval_session/1.mid"),
        name="drummer1/eval_session/1.mid",
        genre="funk",
        band=False,
        licence="CC BY 4.0",
        split="test",
        tempo=138,
        tags=("beat", "drummer1", "eval_session", "4/4", "groove1"),
    )
    assert (latin.genre, latin.split, latin.tags) == ("latin", "train", ("fill", "drummer2", "session2", "6/8"))


def test_without_its_table_it_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"groove-v1.0.0-midionly.zip .*groove/info.csv"):
        DATASETS["groove_midi"].list_sources(tmp_path)


def test_the_published_counts():
    counts = Counter(t for s in list_here("groove_midi") for t in s.tags)
    assert (counts["beat"], counts["fill"], counts["4/4"]) == (503, 647, 1138)
    assert sum(counts[f"drummer{i}"] > 0 for i in range(1, 11)) == 10
