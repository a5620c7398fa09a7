"""``backbeat text``: songs of drums as LSTMetallica's text, one a diversity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backbeat.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from backbeat.models.lstmetallica import Lstmetallica


@click.command("text")
@click.option("--model", default="lstmetallica", show_default=True, help="A trained LSTMetallica: its folder, or the one that ships.")
@click.option("--diversity", default="1.0", show_default=True, help="Temperatures as 0.5,0.8,1; 'blog' and 'code' are the original's.")
@click.option("--bars", type=click.IntRange(1, 10_000), default=30, show_default=True, help="Most bars of each song; a model that knows endings may end it.")
@click.option("--primer", type=click.Path(path_type=Path), help="Text that is read first; its last 16 bars are.")
@click.option("--as-original", is_flag=True, help="Write three lines a song: diversity, primer, primer and what was written.")
@click.option("--marks", is_flag=True, help="Put each song between SONG_BEGIN and SONG_END.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same options, seed and version give the same bytes.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write. Default: stdout.")
def command(model: str, diversity: str, bars: int, primer: Path | None, as_original: bool, marks: bool, seed: int, out: Path | None) -> None:
    """Write drums as text. 'backbeat convert --to midi' makes MIDI of it; what is read first is not written, unless --as-original is given."""
    import numpy as np

    from backbeat.files import write_bytes
    from backbeat.models.lstmetallica import Lstmetallica, format_original
    from backbeat.models.registry import load_model

    loaded = load_model(model)
    if not isinstance(loaded, Lstmetallica):
        raise InputError(f"{model} writes no text: name a folder that 'backbeat train lstmetallica' made")
    read = _read_primer(primer)
    lines = []
    for number, temperature in enumerate(_read_diversities(diversity)):
        rng = np.random.default_rng([seed, number])
        written = _write(loaded, read, bars, temperature, rng, marks)
        lines.append(format_original(read, written, temperature) if as_original else f"{written}\n")
    if out:
        write_bytes(out, "".join(lines).encode())
        click.echo(f"wrote {out}")
    else:
        click.echo("".join(lines), nl=False)


def _read_diversities(text: str) -> list[float]:
    from backbeat.models.lstmetallica import DIVERSITIES

    try:
        found = list(DIVERSITIES[text] if text in DIVERSITIES else (float(t) for t in text.split(",")))
    except ValueError:
        found = []
    if not found or not all(0 <= t <= 5 for t in found):
        raise InputError(f"--diversity {text}: write numbers in 0-5 as 0.5,0.8,1, or {' or '.join(DIVERSITIES)}")
    return found


def _read_primer(path: Path | None) -> str:
    from backbeat.codecs.metallica_text import STEPS, read_text, write_text

    if path is None:
        return ""
    try:
        words = read_text(path.read_text(encoding="utf-8")).songs[-1]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as text ({error})") from None
    return write_text([words[-16 * STEPS :]])


def _write(model: Lstmetallica, primer: str, bars: int, temperature: float, rng: np.random.Generator, marks: bool) -> str:
    """A song behind a primer, as text."""
    from backbeat.codecs.metallica_text import STEPS, read_text, write_text

    if model.kind == "text" and model.level == "char":
        tokens = model.write_tokens(primer or "BAR ", bars * (12 * STEPS + 4), rng, temperature=temperature)
        return "".join(tokens)
    read = read_text(primer).songs[0].tolist() if primer else ()
    return write_text([model.play_song(rng, bars=bars, primer=read, temperature=temperature)], marks=marks)
