"""Training of pattern spaces: the paper's sizes and losses, a critic that only ACAI has, learning, stopping, and what is written."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.codecs.patterns import hash_patterns, patterns_to_hits  # noqa: E402
from backbeat.datasets import list_sources  # noqa: E402
from backbeat.datasets.pattern_files import encode_midi  # noqa: E402
from backbeat.datasets.pattern_table import PatternTable, write_table  # noqa: E402
from backbeat.errors import InputError  # noqa: E402
from backbeat.evaluation.learning import Data  # noqa: E402
from backbeat.metrics.patterns import measure_steps  # noqa: E402
from backbeat.models.pattern_space import PatternSpace, place_genres  # noqa: E402
from backbeat.networks import pattern_space as networks  # noqa: E402
from backbeat.training.loop import Run, read_log, train  # noqa: E402
from backbeat.training.pattern_export import fit_mixture  # noqa: E402
from backbeat.training.pattern_space import CONFIGS, TRAINABLE, PatternTask, find_axes, read_patterns  # noqa: E402
from backbeat.training.running import run_training  # noqa: E402


def make_patterns(count, seed):
    """Beats of kick, snare and hats, with hits of the kick at random."""
    rng = np.random.default_rng(seed)
    hits = np.zeros((count, 16, 14), bool)
    hits[:, ::2, 2], hits[:, 4::8, 1], hits[:, 0, 0] = True, True, True
    hits[:, :, 0] |= rng.random((count, 16)) < 0.25
    return ((hits * (1 << np.arange(14))).sum(axis=2).astype(np.uint16)).repeat(2, axis=0).reshape(count, 32)


def make_task(kind, **fields):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    recipe = replace(CONFIGS[kind], updates=60, batch=32, validate_every=30, save_every=20, warm_up=0, floor=1.0, **fields)
    genres = ("rock", "", "jazz") * 100
    return PatternTask(recipe, PatternTable(make_patterns(300, 0), genres=genres), make_patterns(60, 1))


def small(kind):
    return make_task(kind, **({"latent": 8, "first": 32, "second": 16} if kind == "wide" else {}))


def test_the_papers_sizes():
    """448 > 64 > 32 > 4 and back, ReLU between, and a critic with the encoder's layers for ACAI only."""
    for kind in ("ae", "vae", "acai"):
        recipe = CONFIGS[kind]
        network = networks.PatternSpace(networks.PatternSpaceConfig(recipe.kind, 32, 14, (recipe.first, recipe.second), recipe.latent))
        linear = [m for m in network.encoder if isinstance(m, torch.nn.Linear)] + [m for m in network.decoder if isinstance(m, torch.nn.Linear)]
        assert [(m.in_features, m.out_features) for m in linear] == [(448, 64), (64, 32), (32, 8 if kind == "vae" else 4), (4, 32), (32, 64), (64, 448)]
        assert (network.critic is not None) == (kind == "acai")


@pytest.mark.slow
@pytest.mark.parametrize("kind", CONFIGS)
def test_it_learns(kind, tmp_path):
    task = small(kind)
    with torch.no_grad():
        before = task.validate()["nats"]
    run = train(Run(tmp_path, task, replace(task.recipe, rate=3e-3), {}))
    after = [line["validation"] for line in read_log(tmp_path) if "validation" in line]
    assert len(after) == 2 and after[-1]["nats"] < before and run.update == 60
    assert {"nats", "step_accuracy", "step_accuracy_sampled", "pass_rate", "radius"} == after[-1].keys()


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_weights(tmp_path):
    whole = train(Run(tmp_path / "a", small("acai"), small("acai").recipe, {}))
    train(Run(tmp_path / "b", small("acai"), replace(small("acai").recipe, updates=20), {}))
    resumed = train(Run(tmp_path / "b", small("acai"), small("acai").recipe, {}))
    pairs = zip(whole.task.network.state_dict().values(), resumed.task.network.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_critic_and_autoencoder_do_not_move_each_other():
    """Fooling costs the critic nothing, and guessing costs the autoencoder nothing."""
    task = small("acai")
    cells = task._draw(0, 0)
    latents = task.network.encode(cells)[0]
    fooled, guessed = task._criticise(cells, latents, task.network.decode(latents))
    critic = list(task.network.critic.parameters())
    others = [p for n, p in task.network.named_parameters() if not n.startswith("critic")]
    assert all(g is None for g in torch.autograd.grad(fooled, critic, allow_unused=True, retain_graph=True))
    assert any(g is not None and g.abs().sum() > 0 for g in torch.autograd.grad(fooled, others, allow_unused=True, retain_graph=True))
    assert all(g is None for g in torch.autograd.grad(guessed, others, allow_unused=True, retain_graph=True))
    assert all(g is not None for g in torch.autograd.grad(guessed, critic, allow_unused=True))


def test_vae_loss_is_the_bound():
    task = small("vae")
    torch.manual_seed(5)
    outcome = task.compute(3, 0, 1)
    cells = task._draw(3, 0)
    torch.manual_seed(5)
    mean, deviation = task.network.encode(cells)
    logits = task.network.decode(mean + deviation.exp() * torch.randn_like(mean))
    normal, posterior = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(mean, deviation.exp())
    divergence = torch.distributions.kl_divergence(posterior, normal).sum(1).mean()
    nats = -torch.distributions.Bernoulli(logits=logits).log_prob(cells).sum(1).mean()
    assert float(outcome.loss.detach()) == pytest.approx(float((nats + divergence).detach()), rel=1e-5)


def test_axes_begin_as_principal_components():
    patterns = make_patterns(400, 2)
    mean, axes, deviations = find_axes(patterns, 8)
    assert torch.allclose(axes @ axes.T, torch.eye(8), atol=1e-5) and (deviations.diff() <= 1e-6).all()
    network = networks.PatternSpace(networks.PatternSpaceConfig("ae", 32, 14, (16, 8), 8, True))
    network.set_axes(mean, axes, deviations)
    cells = torch.from_numpy(patterns_to_hits(patterns).reshape(400, -1).astype(np.float32))
    expected = (cells - mean) @ axes.T @ axes + mean
    with torch.no_grad():
        given = network.out_of(network.into(cells)) / 6 + 0.5
    assert torch.allclose(given, expected, atol=1e-4)
    with pytest.raises(ValueError, match="no linear paths"):
        networks.PatternSpace(networks.PatternSpaceConfig()).set_axes(mean, axes, deviations)


def test_mixed_and_turned_patterns_are_still_patterns():
    task = small("wide")
    batch = task._draw(7, 0)
    assert torch.equal(batch, task._draw(7, 0)) and not torch.equal(batch, task._draw(8, 0)) and not torch.equal(batch, task._draw(7, 1))
    assert set(batch.unique().tolist()) == {0.0, 1.0} and batch.shape == (32, 448)


def test_patterns_of_the_training_data_are_not_measured_on():
    train_patterns = make_patterns(50, 0)
    held = np.concatenate([np.roll(train_patterns[:5], 3, axis=1), make_patterns(9, 5)])
    task = PatternTask(replace(CONFIGS["ae"]), PatternTable(train_patterns), held)
    assert not np.isin(hash_patterns(task.held), hash_patterns(train_patterns)).any() and len(task.held) <= 9
    with pytest.raises(InputError, match="0 others to measure on"):
        PatternTask(CONFIGS["ae"], PatternTable(train_patterns), train_patterns)
    with pytest.raises(InputError, match="no kind 'gan'"):
        PatternTask(replace(CONFIGS["ae"], kind="gan"), PatternTable(train_patterns), held)
    with pytest.raises(InputError, match="of one length"):
        PatternTask(CONFIGS["ae"], PatternTable(train_patterns), held[:, :24])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "p.tsv"
    write_table(PatternTable(make_patterns(200, 0), genres=("rock", "jazz") * 100), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["acai", "wide"])
def test_a_run_writes_what_can_be_opened_without_torch(table, tmp_path, kind):
    sources = list_sources(str(table))
    data = Data("patterns", sources[20:], sources[:20])
    recipe = replace(
        CONFIGS[kind], updates=30, batch=32, validate_every=15, save_every=15, **({"latent": 8, "first": 32, "second": 16} if kind == "wide" else {})
    )
    run = run_training(TRAINABLE, recipe, data, tmp_path, device="cpu")
    model = PatternSpace(tmp_path / "model")
    assert model.name == kind and set(model.genres) == {"rock", "jazz"} and "## Limits" in (tmp_path / "model" / "card.md").read_text()
    patterns = make_patterns(10, 3)
    cells = torch.from_numpy(patterns_to_hits(patterns).reshape(10, -1).astype(np.float32))
    with torch.no_grad():
        mean, deviation, logits = run.task.network.cpu().eval()(cells)
    ours, wide = model.encode_widely(patterns)
    assert np.allclose(ours, mean.numpy(), atol=2e-4) and np.allclose(wide, deviation.exp().numpy(), atol=2e-4)
    assert np.allclose(model.rate_hits(mean.numpy()).reshape(10, -1), logits.sigmoid().numpy(), atol=2e-4)
    assert 0 <= measure_steps(patterns, model.decode(ours)) <= 1
    assert np.isin(hash_patterns(np.roll(make_patterns(200, 0)[30:31], 9, axis=1)), model.known).all()


def test_songs_are_mined_where_the_data_are_no_table(tmp_path):
    for k, pattern in enumerate(make_patterns(3, 0)):
        (tmp_path / f"{k}.mid").write_bytes(encode_midi(pattern[None], repeats=4))
    assert len(read_patterns(list_sources(str(tmp_path)), CONFIGS["vae"])) == 3


def test_rows_of_tables_cannot_be_mixed_with_songs(table, tmp_path):
    (tmp_path / "a.mid").write_bytes(encode_midi(make_patterns(1, 0)))
    with pytest.raises(InputError, match="name one table"):
        read_patterns([*list_sources(str(table)), *list_sources(str(tmp_path))], CONFIGS["vae"])


def test_genres_need_enough_patterns():
    points = np.arange(40, dtype=np.float32).reshape(20, 2)
    places = place_genres(points, ("rock",) * 12 + ("jazz",) * 7 + ("",))
    assert list(places) == ["rock"] and places["rock"]["patterns"] == 12 and places["rock"]["centre"] == points[:12].mean(axis=0).tolist()


@pytest.mark.slow
def test_a_mixture_lies_as_its_points_do():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(-5, 1, (500, 3)), rng.normal(5, 1, (500, 3))]).astype(np.float32)
    found = fit_mixture(points, np.zeros_like(points))
    mean = found["weights"] @ found["centres"]
    assert mean == pytest.approx(points.mean(axis=0), abs=0.05)
    spread = found["roots"] @ found["roots"].transpose(0, 2, 1) + np.einsum("ni,nj->nij", found["centres"] - mean, found["centres"] - mean)
    assert np.einsum("n,nij->ij", found["weights"], spread) == pytest.approx(np.cov(points.T), rel=0.1, abs=0.5)
