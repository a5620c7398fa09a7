import tarfile

import pytest

from backbeat.datasets import DATASETS, list_sources
from backbeat.datasets.lakh import cluster_by_title, cluster_by_track
from backbeat.errors import InputError
from tests.datasets.here import write_tree

CLEAN = ["Billy Joel/Piano Man.mid", "Billy Joel/Piano Man.1.mid", "Lou Bega/Mambo No. 5.mid"]
MATCHED = ["A/B/C/TRABCDE12903CDA7B1/0a1b.mid", "A/B/C/TRABCDE12903CDA7B1/ff00.mid", "A/B/D/TRABDXX128F92E3D2C/0a1b.mid"]
FULL = ["0/0a1b.mid", "f/ff00.mid"]


@pytest.mark.parametrize(
    ("name", "cluster"),
    [
        ("Billy Joel/Piano Man.mid", "lakh:billy joel/piano man"),
        ("Billy Joel/Piano Man.12.mid", "lakh:billy joel/piano man"),
        ("BILLY JOEL/Piano  Man.2.MID", "lakh:billy joel/piano man"),
        ("Lou Bega/Mambo No. 5.mid", "lakh:lou bega/mambo no. 5"),
        ("Prince/1999.mid", "lakh:prince/1999"),
        ("Mr. Mister/Kyrie.mid", "lakh:mr. mister/kyrie"),
    ],
)
def test_versions_of_a_title_are_a_cluster(name, cluster):
    assert cluster_by_title(name) == cluster


def test_the_track_is_the_cluster_of_matched_files():
    assert [cluster_by_track(n) for n in MATCHED] == ["lakh:TRABCDE12903CDA7B1", "lakh:TRABCDE12903CDA7B1", "lakh:TRABDXX128F92E3D2C"]
    assert cluster_by_track("x/y.mid") == ""


@pytest.mark.parametrize("below", ["", "lakh/"])
@pytest.mark.parametrize(
    ("name", "layout", "names", "clusters"),
    [("lakh_clean", "clean_midi", CLEAN, 2), ("lakh_matched", "lmd_matched", MATCHED, 2), ("lakh_full", "lmd_full", FULL, 1)],
)
def test_each_layout_unpacked_and_packed(below, name, layout, names, clusters, tmp_path):
    write_tree(tmp_path / below / layout, *names)
    unpacked = list_sources(name, tmp_path)
    assert sorted(s.name for s in unpacked) == sorted(names)
    assert len({s.cluster for s in unpacked}) == clusters
    with tarfile.open(tmp_path / below / f"{layout}.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / below / layout, layout)
    (tmp_path / below / layout).rename(tmp_path / "away")
    packed = list_sources(name, tmp_path)
    assert {s.name: (s.read(), s.cluster) for s in packed} == {s.name: ((tmp_path / "away" / s.name).read_bytes(), s.cluster) for s in unpacked}


def test_lakh_is_the_largest_layout_that_is_there(tmp_path):
    with pytest.raises(InputError, match=r"no lakh below .*lmd_full.tar.gz"):
        list_sources("lakh", tmp_path)
    for layout, names in (("clean_midi", CLEAN), ("lmd_matched", MATCHED), ("lmd_full", FULL)):
        write_tree(tmp_path / layout, *names)
        assert sorted(s.name for s in DATASETS["lakh"].list_sources(tmp_path)) == sorted(names)
