"""``backbeat train`` for floors: what it measures, what it keeps, what it refuses; and playing with what was kept."""

import json

import pytest

from backbeat.cli.train import FLOORS, NETWORKS
from backbeat.midi import read_song
from backbeat.models.checkpoint import read_config
from backbeat.models.registry import MODELS, load_model
from tests.midi.builders import band_song
from tests.training.corpora import make_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus")).folder


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(band_song(4))
    return path


def train(run, corpus, *arguments):
    result = run("train", *arguments, "--validation", corpus, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_every_model_that_learns_can_be_trained():
    assert set(FLOORS) == {name for name, entry in MODELS.items() if entry.learns and name not in NETWORKS}


def test_every_network_of_the_common_loop_can_be_trained():
    pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")
    from backbeat.training.trainables import TRAINABLES

    assert set(NETWORKS) == set(TRAINABLES)


@pytest.mark.parametrize("name", FLOORS)
def test_a_floor_is_measured_kept_and_plays(run, corpus, song, tmp_path, name):
    settings = ("--set", "rounds=2") if name == "trees" else ()
    report = train(run, corpus, name, corpus, "-o", tmp_path / name, *settings)
    assert report["model"] == name and report["out"] == str(tmp_path / name)
    expected = (
        {"perplexity", "bits_per_step", "bits_per_onset", "steps", "onsets"}
        if MODELS[name].scores
        else {"micro_f1", "bar_mean_f1", "song_mean_f1", "precision", "recall"}
    )
    assert set(report["held out"]) == expected
    assert report["data"]["pieces"] == report["data"]["tuned_on_pieces"] == 4
    config = read_config(tmp_path / name)
    assert config["metrics"] == {"held out, whole pieces": report["held out"]} and config["data"] == report["data"]
    assert len(config["data"]["manifest_sha256"]) == 64
    out = tmp_path / "out.mid"
    played = run("accompany", song, "--model", tmp_path / name, "-o", out, "--json")
    assert played.code == 0, played.err
    assert json.loads(played.out)["model"] == {"name": load_model(tmp_path / name).name, "folder": str(tmp_path / name)}
    assert len(read_song(out).band) == len(read_song(song).band)


def test_figures_stand_on_stdout_for_people(run, corpus):
    result = run("train", "bigram", corpus, "--validation", corpus)
    assert result.code == 0
    assert "bits per onset" in result.out and "perplexity" in result.out and "not kept: name a folder with -o" in result.out
    assert "fitting bigram on 4 pieces" in result.err


def test_every_nth_piece(run, corpus):
    assert train(run, corpus, "unigram", corpus, "--every", 2)["data"]["pieces"] == 2


def test_a_better_model_has_a_lower_perplexity(run, corpus):
    assert train(run, corpus, "ngram5", corpus)["held out"]["perplexity"] < train(run, corpus, "unigram", corpus)["held out"]["perplexity"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("unigram",), "has 4 pieces, too few to hold some out: name another corpus with --validation"),
        (("unigram", "--set", "order=3"), "unigram has no setting 'order': there is nothing to set"),
        (("trees", "--set", "rounds=many"), "'many' is not a whole number"),
        (("unigram", "--every", "0"), "n must be at least 1, not 0"),
        (("drummer",), "name a folder for the run with -o"),
    ],
)
def test_what_cannot_be_is_one_line(refused_after_progress, corpus, arguments, message):
    name, *options = arguments
    if name == "drummer":
        pytest.importorskip("torch")
    assert message in refused_after_progress("train", name, corpus, *options)


@pytest.fixture
def refused_after_progress(run):
    """The last line on stderr of a command that must end in exit status 1."""

    def run_refused(*arguments):
        result = run(*arguments)
        assert result.code == 1 and result.out == "" and "Traceback" not in result.err
        return result.err.splitlines()[-1]

    return run_refused


def test_a_folder_that_is_in_use_is_refused_before_any_work(refused, corpus, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert "holds something that is not a checkpoint" in refused("train", "unigram", corpus, "--validation", corpus, "-o", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_without_pieces_is_one_line(refused, tmp_path):
    assert "no piece in it" in refused("train", "unigram", tmp_path)


def test_a_floor_learns_from_a_folder_of_files(run, tmp_path):
    for number in range(11):
        (tmp_path / f"{number:02}.mid").write_bytes(band_song(8 + number))
    report = json.loads(run("train", "bigram", tmp_path, "--json").out)
    assert (report["data"]["pieces"], report["data"]["tuned_on_pieces"]) == (9, 2)
