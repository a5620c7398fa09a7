"""The common loop: what it learns, what it keeps, and that being killed changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from torch import Tensor, nn  # noqa: E402

from backbeat.errors import InputError, OutputError  # noqa: E402
from backbeat.training.checkpoints import load_tensors  # noqa: E402
from backbeat.training.curves import draw_curves, write_events  # noqa: E402
from backbeat.training.loop import BEST, LAST, Outcome, Progress, Run, Schedule, read_log, train  # noqa: E402

SCHEDULE = Schedule(updates=30, batch=8, rate=0.05, warm_up=5, floor=0.1, validate_every=10, save_every=5)


@dataclass
class Line:
    """Learns y = 3x + 1 with dropout, and carries the number of its updates."""

    seed: int = 1
    worse: bool = False
    network: nn.Module = field(init=False)
    target: str = "loss"
    seen: Tensor = field(default_factory=lambda: torch.zeros(1))

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        self.network = nn.Sequential(nn.Linear(1, 16), nn.Dropout(0.2), nn.Linear(16, 1))

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        x = torch.rand(8, 1, generator=torch.Generator().manual_seed(update * shares + share))
        loss = ((self.network(x) - 3 * x - 1) ** 2).mean()
        self.seen = self.seen + 1
        return Outcome(loss, {"loss": float(loss.detach())})

    def validate(self) -> dict[str, float]:
        x = torch.linspace(0, 1, 20)[:, None]
        loss = float(((self.network(x) - 3 * x - 1) ** 2).mean())
        return {"loss": loss + (float(self.seen) if self.worse else 0.0)}

    def state(self) -> dict[str, Tensor]:
        return {"seen": self.seen}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.seen = state["seen"]


def run_to(folder: Path, updates: int = 30, **changes: object) -> Run:
    return train(Run(folder, Line(), replace(SCHEDULE, updates=updates, **changes), {"model": "line"}))  # type: ignore[arg-type]


def test_it_learns_and_says_how_far_it_is(tmp_path: Path) -> None:
    told: list[Progress] = []
    run = train(Run(tmp_path, Line(), replace(SCHEDULE, updates=200), {}), told.append)
    assert run.update == 200 and run.best < 0.2
    assert [p.update for p in told if p.is_validation] == list(range(10, 201, 10))
    assert told[-1].seconds_left == 0 and all(p.updates == 200 for p in told)


def test_a_run_stopped_anywhere_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = load_tensors(run_to(tmp_path / "whole").folder / LAST)
    for stop in (5, 10, 20):
        run = Run(tmp_path / "parts", Line(), SCHEDULE, {"model": "line"})
        while run.update < stop:
            run.step()
            if run.update % 10 == 0:
                run.validate()
        if stop != 10:  # update 10 is done but lost: it is gone through again
            run.save()
    resumed = load_tensors(run_to(tmp_path / "parts").folder / LAST)
    assert set(whole) == set(resumed)
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name
    assert torch.equal(resumed["task.seen"], torch.tensor([30.0]))


def test_the_best_weights_are_kept_and_patience_ends_the_run(tmp_path: Path) -> None:
    run = train(Run(tmp_path, Line(worse=True), replace(SCHEDULE, updates=500, patience=3), {}))
    assert run.update == 40, "the first validation is the best, three more are not"
    kept = load_tensors(tmp_path / BEST)
    assert not torch.equal(kept["0.weight"], run.task.network.state_dict()["0.weight"])


def test_a_run_is_resumed_only_as_itself(tmp_path: Path) -> None:
    run_to(tmp_path, 10)
    with pytest.raises(InputError, match=r"other settings \(rate\)"):
        run_to(tmp_path, 10, rate=0.1)
    with pytest.raises(InputError, match=r"other settings \(model\)"):
        Run(tmp_path, Line(), SCHEDULE, {"model": "curve"})
    assert run_to(tmp_path, 20).update == 20, "a longer schedule goes on"
    (tmp_path / LAST).write_bytes(b"damaged")
    with pytest.raises(InputError, match="no readable weights"):
        run_to(tmp_path, 30)


def test_a_warm_start_begins_with_other_weights(tmp_path: Path) -> None:
    trained = run_to(tmp_path / "first")
    begin = load_tensors(trained.folder / BEST)
    warm = Run(tmp_path / "second", Line(seed=2), SCHEDULE, {}, begin)
    assert torch.equal(warm.task.network.state_dict()["0.weight"], begin["0.weight"])


def test_the_rate_warms_up_and_falls() -> None:
    schedule = replace(SCHEDULE, updates=105, rate=1.0)
    rates = [schedule.rate_of(u) for u in range(105)]
    assert rates[0] == pytest.approx(0.2) and max(rates) == pytest.approx(1.0) and rates[4] == 1.0
    assert rates[-1] == pytest.approx(0.1, abs=0.01) and rates[5:] == sorted(rates[5:], reverse=True)
    assert replace(SCHEDULE, warm_up=0, floor=1.0).rate_of(17) == SCHEDULE.rate


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_log_becomes_curves_and_events(tmp_path: Path) -> None:
    run_to(tmp_path)
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"update": 30, "trai')  # a kill in the middle of a line
    assert [line["update"] for line in read_log(tmp_path) if "validation" in line] == [10, 20, 30]
    assert draw_curves(tmp_path).read_bytes()[:4] == b"\x89PNG"
    first = write_events(tmp_path)
    write_events(tmp_path)
    assert len(list(first.iterdir())) == 1, "written anew, not beside the old"


SCRIPT = """
import sys, torch
from pathlib import Path
from backbeat.training.loop import Run, join_processes, train
from tests.training.test_loop import SCHEDULE, Line
torch.set_num_threads(1)
join_processes()
train(Run(Path(sys.argv[1]), Line(), SCHEDULE, {}))
"""


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        "29517",
        str(tmp_path / "train.py"),
        str(tmp_path / "run"),
    ]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env={**__import__("os").environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["processes"] == 2
    together = load_tensors(tmp_path / "run" / LAST)
    alone = load_tensors(run_to(tmp_path / "alone").folder / LAST)
    assert not torch.equal(together["network.0.weight"], alone["network.0.weight"]), "both shares of the data count"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be made"):
        run_to(tmp_path / "file")


def test_a_run_that_diverges_stops_with_a_line(tmp_path: Path) -> None:
    class Diverging(Line):
        def compute(self, update: int, share: int, shares: int) -> Outcome:
            outcome = super().compute(update, share, shares)
            return outcome if update < 7 else Outcome(outcome.loss * float("nan"), outcome.figures)

    run = Run(tmp_path, Diverging(), SCHEDULE, {})
    with pytest.raises(InputError, match="no number at update 8: begin anew, with a smaller rate"):
        train(run)
    assert all(torch.isfinite(p).all() for p in run.task.network.parameters())
    assert all(torch.isfinite(t).all() for t in load_tensors(tmp_path / LAST).values() if t.dtype.is_floating_point and t.ndim)


def test_averaged_weights_are_measured_kept_and_resumed(tmp_path: Path) -> None:
    run = run_to(tmp_path / "whole", average=0.9)
    assert any(not torch.equal(v, run.average[k]) for k, v in run.task.network.state_dict().items()), "the run goes on with its own weights"
    best = load_tensors(tmp_path / "whole" / BEST)
    network = Line().network
    network.load_state_dict(best)
    held = Line()
    held.network = network.eval()
    with torch.no_grad():
        assert held.validate()["loss"] == pytest.approx(run.best)
    stopped = Run(tmp_path / "parts", Line(), replace(SCHEDULE, average=0.9), {"model": "line"})
    for _ in range(12):
        stopped.step()
    stopped.save()
    again = run_to(tmp_path / "parts", average=0.9)
    assert all(torch.equal(v, again.average[k]) for k, v in run.average.items())
