"""LSTMetallica as a model: what it scores, BAR and all, what it plays, and the text it writes."""

import json
from importlib import resources

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")
torch.set_num_threads(1)

from backbeat.codecs.metallica_text import BAR, list_spellings, spell_tokens  # noqa: E402
from backbeat.errors import InputError, ModelError  # noqa: E402
from backbeat.evaluation.metallica import spell_bars, split_scores  # noqa: E402
from backbeat.grid import Grid  # noqa: E402
from backbeat.models.lstmetallica import AwakeTake, Lstmetallica, format_original, is_spelt  # noqa: E402
from backbeat.models.lstmetallica_text import Vocabulary  # noqa: E402
from backbeat.training.loop import Run  # noqa: E402
from backbeat.training.lstmetallica import Recipe, SongTask, TextTask, export  # noqa: E402
from tests.models.pieces import make_piece, make_takes, vary  # noqa: E402

SMALL = Recipe(batch=2, length=32, width=12, units=(8, 8))


@pytest.fixture(scope="module", params=["song", "text"])
def model(request, tmp_path_factory):
    """A tiny model of either kind with random weights."""
    songs = [take.words for take in make_takes()]
    kind = SMALL if request.param == "song" else Recipe(batch=2, length=32, units=(8, 8), kind="carried")
    task = (SongTask if request.param == "song" else TextTask)(kind, songs, songs[:1])
    folder = tmp_path_factory.mktemp(request.param)
    export(task, Run(folder / "run", task, kind, {}), folder / "model", {})
    return Lstmetallica(folder / "model")


@pytest.mark.slow
def test_scores_sum_to_one_over_all_words(model):
    words = make_takes()[0].words
    for step in (0, 3, 17):
        heard = words[: 16 if step < 16 else 32]
        total = sum(2 ** model.score(piece)[step] for piece in vary(heard, step))
        assert total == pytest.approx(1, abs=1e-4)


def test_what_it_draws_from_is_what_it_scores(model):
    piece = make_takes(bars=2)[1]
    take, scores = model.begin(piece.grid), model.score(piece)
    for step, word in enumerate(piece.words.tolist()):
        distribution = take.distribution()
        assert distribution.sum() == pytest.approx(1) and np.log2(distribution[word]) == pytest.approx(scores[step], abs=1e-4)
        take.push(word)


def test_bar_is_scored_where_it_is_spelt(model):
    piece = make_takes(bars=3)[2]
    spelt = spell_bars(piece)
    assert is_spelt(spelt) and not is_spelt(piece)
    words, bars = split_scores(model.score(spelt))
    if model.kind == "song":
        assert np.array_equal(words, model.score(piece)) and not bars.any()
    else:
        assert (bars < 0).all() and (words < model.score(piece)).all()  # the same words, given that they are no BAR, are likelier


def test_a_fork_goes_its_own_way(model):
    take = model.begin(Grid.regular(2))
    for word in (1, 2, 3):
        take.push(word)
    twin, before = take.fork(), take.distribution()
    twin.push(5)
    assert np.array_equal(take.distribution(), before) and not np.allclose(twin.distribution(), before)


def test_plays_what_its_seed_says_and_does_not_write_the_primer(model):
    primer = [1, 0, 4, 0] * 8
    songs = [model.play_song(np.random.default_rng(3), bars=3, primer=primer, may_end=False) for _ in range(2)]
    assert len(songs[0]) == 48 and np.array_equal(*songs)
    with pytest.raises(InputError, match="whole ones"):
        model.play_song(np.random.default_rng(3), bars=3, primer=primer[:5])


def test_it_may_end_a_song(model, monkeypatch):
    if model.kind == "text":
        pytest.skip("a text model knows no endings")
    monkeypatch.setattr("backbeat.models.lstmetallica.SongTake.ending", lambda take: 1.0)
    assert len(model.play_song(np.random.default_rng(0), bars=9)) == 1  # asked behind every word here; the network answers at bars only
    assert len(model.play_song(np.random.default_rng(0), bars=2, may_end=False)) == 32


def test_text_is_written_token_by_token(model):
    seed = spell_tokens(make_takes()[0].words[:16].tolist())
    if model.kind == "song":
        with pytest.raises(ModelError, match="play_song"):
            model.write_tokens(seed, 5, np.random.default_rng(0))
        return
    written = model.write_tokens(seed, 40, np.random.default_rng(0), temperature=2)
    assert len(written) == 40 and set(written) <= set(model.types)
    with pytest.raises(InputError, match="no token"):
        model.write_tokens(["what"], 5, np.random.default_rng(0))


def test_the_vocabulary_shares_what_it_keeps_for_the_unseen():
    spellings = list_spellings()
    vocabulary = Vocabulary((spellings[0], spellings[1], BAR, "SONG_END"), 0.01)
    shared = vocabulary.share(np.array([0.5, 0.2, 0.1, 0.2]))
    assert shared.sum() == pytest.approx(1) and shared[[2, 511]] == pytest.approx(0.01 / 510)
    assert shared[0] == pytest.approx(0.99 * 0.5 / 0.8) and shared[512] == pytest.approx(0.99 * 0.1 / 0.8)


class Sleeper:
    """Rests nine times of ten."""

    def distribution(self):
        return np.append([0.9], np.full(511, 0.1 / 511))

    def push(self, word):
        pass


def test_a_take_that_has_rested_plays_on_the_next_quarter():
    take = AwakeTake(Sleeper())
    assert take.distribution()[0] == 0
    take.push(1)
    assert take.distribution()[0] == 0.9
    for word in [1] * 15:
        take.push(word)
    assert take.distribution()[0] == 0.9 and take.distribution().sum() == pytest.approx(1)


def test_three_lines_as_the_original_writes_them():
    assert format_original("a BAR ", "b BAR ", 0.5) == "diversity:0.50\na BAR \na BAR b BAR \n"


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"schema": 1, "network": "drums-rnn"}))
    with pytest.raises(ModelError, match="lstmetallica"):
        Lstmetallica(tmp_path)


def test_the_shipped_model_is_small_and_says_where_it_comes_from():
    folder = resources.files("backbeat").joinpath("weights/lstmetallica")
    assert sum(len(f.read_bytes()) for f in folder.iterdir()) < 3_000_000
    card = folder.joinpath("card.md").read_text(encoding="utf-8")
    assert "licence" in card and "Figures" in card


def test_the_shipped_model_knows_a_loop_when_it_hears_one():
    loop = np.tile(np.array([5, 0, 4, 0, 6, 0, 4, 0, 5, 0, 5, 0, 6, 0, 4, 0], np.uint16), 12)
    score = Lstmetallica.shipped().score(make_piece(loop))
    assert score[:32].mean() < 4 * score[96:].mean() and 2 ** -score[96:].mean() < 1.1
