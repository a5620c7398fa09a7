"""The data sets without drums: MAESTRO, ASAP and POP909."""

from backbeat.datasets import DATASETS, list_sources
from tests.datasets.here import list_here, write_tree

TABLE = (
    "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration\n"
    'Alban Berg,"Sonata, Op. 1",train,2018,2018/a.mid,,698\nAlban Berg,"Sonata, Op. 1",train,2008,2008/b.mid,,700\nJ. S. Bach,Fugue,test,2008,2008/c.mid,,100\n'
)


def write_maestro(data, version):
    folder = data / version
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.csv").write_text(TABLE, encoding="utf-8")


def test_maestro_performances_of_one_piece_are_a_cluster(tmp_path):
    write_maestro(tmp_path, "piano/maestro-v2.0.0")
    a, b, c = list_sources("maestro", tmp_path)
    assert a.cluster == b.cluster == "maestro:Alban Berg/Sonata, Op. 1" != c.cluster
    assert (a.path, a.name, a.split) == (str(tmp_path / "piano/maestro-v2.0.0/2018/a.mid"), "2018/a.mid", "train")
    assert [s.name for s in DATASETS["maestro"].list_sources(tmp_path, "test")] == ["2008/c.mid"]


def test_the_newest_maestro_is_taken(tmp_path):
    write_maestro(tmp_path, "maestro-v2.0.0")
    write_maestro(tmp_path, "maestro-v3.0.0")
    assert "maestro-v3.0.0" in list_sources("maestro", tmp_path)[0].path


def test_asap_without_the_scores(tmp_path):
    write_tree(tmp_path / "asap-dataset", "Bach/Fugue/bwv_846/Shi05M.mid", "Bach/Fugue/bwv_846/midi_score.mid", "Ravel/Miroirs/4/Li01.mid")
    bach, ravel = list_sources("asap", tmp_path)
    assert (bach.name, bach.cluster, bach.tags) == ("Bach/Fugue/bwv_846/Shi05M.mid", "asap:Bach/Fugue/bwv_846", ("Bach",))
    assert ravel.cluster == "asap:Ravel/Miroirs/4"


def test_pop909_in_both_layouts(tmp_path):
    write_tree(tmp_path / "one" / "POP909", "001/001.mid", "001/versions/001-v1.mid", "002/002.mid")
    write_tree(tmp_path / "two" / "piano" / "pop909", "001.mid", "002.mid")
    for layout in ("one", "two"):
        assert [s.name for s in list_sources("pop909", tmp_path / layout)] == ["001.mid", "002.mid"]


def test_no_licence_is_forgotten():
    assert {s.licence for s in list_here("asap")} == {"CC BY-NC-SA 4.0"}
    assert {s.licence for s in list_here("pop909")} == {"MIT"}
