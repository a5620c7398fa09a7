"""``backbeat log-likelihood``: how likely drums are to a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from backbeat.models.protocol import Piece
    from backbeat.units import Floats


@click.command("log-likelihood")
@click.argument("drums", type=click.Path(path_type=Path))
@click.option("--model", "models", multiple=True, help="A model that scores, by name or folder; may be given again. Default: drums-rnn.")
@click.option("--context", default="whole", show_default=True, help="'whole', or windows with nothing before them, as in '4-bars'.")
@click.option("--bars", "show_bars", is_flag=True, help="Also say it of every bar, in bits.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write the result here, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(drums: Path, models: tuple[str, ...], context: str, show_bars: bool, out: Path | None, as_json: bool) -> None:
    """Say how likely the drums of DRUMS, a MIDI file, are to a model: each step given those before it, and the band if it listens."""
    from backbeat.datasets.source import Source
    from backbeat.errors import InputError
    from backbeat.evaluation.cases import load_case
    from backbeat.evaluation.contexts import parse_context
    from backbeat.files import write_bytes

    window = parse_context(context)
    case = load_case(Source(str(drums), str(drums), band=None))
    if isinstance(case, str):
        raise InputError(f"{drums}: {case}")
    report: dict[str, Any] = {"file": str(drums), "context": context, "bars": case.piece.grid.bars, "models": {}}
    for name in models or ("drums-rnn",):
        report["models"][name] = _measure(name, case.piece, window)
    text = json.dumps(report, ensure_ascii=False)
    if out:
        write_bytes(out, text.encode() + b"\n")
    click.echo(text if as_json else _tell(report, show_bars))


def _measure(name: str, piece: Piece, window: int) -> dict[str, Any]:
    import numpy as np

    from backbeat.errors import ModelError
    from backbeat.evaluation.contexts import score_in_context
    from backbeat.evaluation.fitting import needs_fitting, open_model
    from backbeat.metrics.likelihood import evaluate

    if needs_fitting(name):
        raise ModelError(f"{name} has to be trained first: 'backbeat train {name} CORPUS -o FOLDER', then name the folder")
    model = open_model(name)
    if not hasattr(model, "score"):
        raise ModelError(f"{name} plays, but cannot say how likely drums are")
    log2_p: Floats = score_in_context(model.score, piece, window)
    per_bar = -np.add.reduceat(log2_p, piece.grid.first_steps[:-1])
    figures = {key: round(value, 4) for key, value in evaluate(log2_p, piece.words).items()}
    return {"log_likelihood": round(float(log2_p.sum() * np.log(2)), 4), **figures, "bits_per_bar": [round(b, 2) for b in per_bar.tolist()]}


def _tell(report: dict[str, Any], show_bars: bool) -> str:
    lines = [f"{report['file']}: {report['bars']} bars, context {report['context']}"]
    for name, figures in report["models"].items():
        lines.append(
            f"  {name:12} log-likelihood {figures['log_likelihood']:.1f}, perplexity {figures['perplexity']:.2f} a step, "
            f"{figures['bits_per_step']:.3f} bits a step, {figures['bits_per_onset']:.3f} bits an onset"
        )
        if show_bars:
            lines += [f"    bar {k:4} {bits:7.1f} bits {'#' * round(bits / 2)}" for k, bits in enumerate(figures["bits_per_bar"], 1)]
    return "\n".join(lines)
