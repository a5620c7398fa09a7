import csv

from backbeat.datasets import DATASETS
from backbeat.datasets.styles import find_style
from tests.datasets.here import find_data, list_here, write_tree

INDEX = "lib_file\tgroove\tpath\nalexis/hiphop.mma\tHipHop\tmma_grooves/alexis/hiphop/1.mid\nalexis/hiphop.mma\tHipHopIntro\tmma_grooves/alexis/hiphop/2.mid\n"


def test_the_style_is_the_folder_and_the_groove_names_the_section(tmp_path):
    write_tree(tmp_path / "mma-grooves", "alexis/hiphop/1.mid", "alexis/hiphop/2.mid", "stdlib/waltz/WaltzEnd.mid")
    (tmp_path / "mma-grooves" / "index.tsv").write_text(INDEX, encoding="utf-8")
    main, intro, ending = DATASETS["mma_grooves"].list_sources(tmp_path)
    assert (main.name, main.genre, main.tags, main.tempo) == ("alexis/hiphop/1.mid", "hiphop", (), 110)
    assert (intro.genre, intro.tags) == ("hiphop", ("intro",))
    assert (ending.genre, ending.tags) == ("waltz", ("ending",))


def test_it_works_without_the_index(tmp_path):
    write_tree(tmp_path / "mma-grooves", "stdlib/waltz/WaltzFillAB.mid")
    assert [s.tags for s in DATASETS["mma_grooves"].list_sources(tmp_path)] == [("fill",)]


def test_the_files_are_those_of_the_index():
    sources = list_here("mma_grooves")
    with (find_data() / "mma-grooves" / "index.tsv").open(encoding="utf-8", newline="") as file:
        named = {row["path"].partition("/")[2] for row in csv.DictReader(file, delimiter="\t")}
    assert {s.name for s in sources} == named
    assert sum(find_style(s.genre) != "any" for s in sources) > 0.8 * len(sources)
