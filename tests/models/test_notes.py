"""Notes that go on: what is scored is a distribution, what is drawn stays in range, and the original's sampling is the original's."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.notes import KINDS, notes_to_tokens
from backbeat.errors import InputError, ModelError
from backbeat.models.notes import NotePlayer, WindowNotePlayer, open_notes
from backbeat.runtime.recurrent import RecurrentSession

PRIMER = np.stack([60 + np.resize([0, 4, 7, 12], 32), np.full(32, 0.25), np.full(32, 0.2)], axis=1).astype(float)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")
    from backbeat.networks.note_lstm import NoteLstm, NoteLstmConfig, NoteRnn, NoteRnnConfig
    from backbeat.training.notes import export_notes

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("notes")
    export_notes(NoteRnn(NoteRnnConfig(embedding=8, units=16)), folder / "tokens", {})
    export_notes(NoteLstm(NoteLstmConfig(units=8)), folder / "windows", {}, "first")
    return folder


def test_scores_are_of_distributions(folders):
    player = open_notes(folders / "tokens")
    notes = PRIMER[:3].copy()
    total = 0.0
    for pitch in range(128):
        notes[2, 0] = pitch
        total += np.exp(-player.score(notes)[2, 1])
    assert total == pytest.approx(1, abs=1e-5)
    assert player.score(PRIMER).shape == (32, 3) and (player.score(PRIMER) > 0).all() and player.score(PRIMER[:0]).shape == (0, 3)


def test_a_later_note_leaves_earlier_scores_alone(folders):
    player, other = open_notes(folders / "tokens"), PRIMER.copy()
    other[20:, 0] += 5
    before, after = player.score(PRIMER), player.score(other)
    assert np.allclose(before[:20], after[:20], atol=1e-5) and not np.allclose(before[21:], after[21:])


def test_what_is_drawn_first_is_what_is_scored(folders):
    """Greedy play takes the likeliest token of each kind, so no other first note scores better in its step."""
    player = open_notes(folders / "tokens")
    (played,) = player.continue_notes(PRIMER, 1, np.random.default_rng(0), temperature=0)
    scores = [player.score(np.vstack([PRIMER, [[played[0], step, played[2]]]]))[-1, 0] for step in (0.0, 0.05, 0.25, 1.0)]
    assert player.score(np.vstack([PRIMER, played]))[-1, 0] <= min(scores) + 1e-6


@pytest.mark.parametrize("variant", ["tokens", "windows"])
def test_notes_are_in_range_and_the_seed_decides(folders, variant):
    player = open_notes(folders / variant)
    first, again, other = (player.continue_notes(PRIMER, 20, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (20, 3) and np.array_equal(first, again) and not np.array_equal(first, other)
    assert (first[:, 1:] >= 0).all() and set(first[:, 0]) <= set(range(128))
    notes_to_tokens(first)


@pytest.mark.parametrize(
    ("variant", "primer", "options", "message"),
    [
        ("tokens", PRIMER[:0], {}, "has 0 notes: it needs at least 1"),
        ("windows", PRIMER[:24], {}, "has 24 notes: it needs at least 25"),
        ("tokens", PRIMER, {"count": 0}, "must lie in 1-10,000"),
        ("tokens", PRIMER, {"temperature": 9.0}, "temperature must lie in 0-5"),
    ],
)
def test_what_cannot_be_done_is_told(folders, variant, primer, options, message):
    with pytest.raises(InputError, match=message):
        open_notes(folders / variant).continue_notes(primer, options.pop("count", 5), np.random.default_rng(0), **options)


def test_another_folder_is_refused(tmp_path, folders):
    with pytest.raises(ModelError, match="not a model folder"):
        open_notes(tmp_path)


class Told:
    """A network whose times are negative and whose pitches count up; keeps its windows."""

    def __init__(self):
        self.config = {"sizes": {"length": 25}}
        self.windows = []

    def run(self, inputs, state):
        self.windows.append(inputs["notes"][0])
        logits = np.full((1, 128), -50, np.float32)
        logits[0, 60 + len(self.windows)] = 50
        return {"pitch": logits, "step": np.array([-0.3]), "duration": np.array([0.7])}, state


def test_the_originals_times_are_never_negative_and_its_window_rolls():
    session = Told()
    played = WindowNotePlayer(session).continue_notes(PRIMER, 3, np.random.default_rng(0))
    assert played.tolist() == [[61, 0, pytest.approx(0.7)], [62, 0, pytest.approx(0.7)], [63, 0, pytest.approx(0.7)]]
    assert np.allclose(session.windows[0], PRIMER[:25] / [128, 1, 1])
    assert np.allclose(session.windows[2][:23], session.windows[0][2:]) and session.windows[2][-1].tolist() == [62, 0, pytest.approx(0.7)]
    assert WindowNotePlayer.temperature == 2.0


def test_the_shipped_one_knows_piano():
    folder = Path(str(resources.files("backbeat"))) / "weights" / "notes"
    if not (folder / "config.json").is_file():
        pytest.skip("this checkout has no shipped weights (src/backbeat/weights/notes)")
    player = NotePlayer(RecurrentSession(folder, "notes"))
    chords = np.array([[p, 0.5 if k == 0 else 0.0, 0.45] for root in (60, 65, 67, 60) * 4 for k, p in enumerate((root, root + 4, root + 7))])
    noise = np.stack([np.random.default_rng(0).permutation(np.arange(20, 116))[:48], np.full(48, 3.3), np.full(48, 0.011)], axis=1)
    assert player.score(chords).sum(axis=1).mean() + 3 < player.score(noise).sum(axis=1).mean()
    assert all(
        first <= token < stop
        for (first, stop), token in zip(KINDS * 5, notes_to_tokens(player.continue_notes(chords, 5, np.random.default_rng(1))), strict=True)
    )
