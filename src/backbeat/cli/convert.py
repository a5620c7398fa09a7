"""``backbeat convert``: MIDI to LSTMetallica's words and back, and drums from kit to kit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from backbeat.errors import InputError, OutputError


@click.command("convert")
@click.argument("sources", nargs=-1, required=True)
@click.option("--to", "target", required=True, metavar="words|midi|kit:NAME", help="What to make: text, MIDI from text, or a song whose drums suit a kit.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write; for 'midi' also a folder, with a file a song. Default for 'words': stdout.")
@click.option("--marks", is_flag=True, help="Words: put each song between SONG_BEGIN and SONG_END.")
@click.option("--per-file", type=click.Path(path_type=Path), help="Words: also write a text a song into this folder.")
@click.option("--tempo", type=click.FloatRange(20, 400), default=120.0, show_default=True, help="Midi: quarter notes a minute, for text knows no tempo.")
@click.option("--kit", default="lstmetallica_9", show_default=True, help="Midi: write the notes of this kit (see 'backbeat kits').")
@click.option("--data", type=click.Path(path_type=Path), envvar="BACKBEAT_DATA", help="Folder with the data sets, to name one (or BACKBEAT_DATA).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object about what was made.")
def command(
    sources: tuple[str, ...], target: str, out: Path | None, marks: bool, per_file: Path | None, tempo: float, kit: str, data: Path | None, as_json: bool
) -> None:
    """Convert SOURCES.

    To words: folders, archives or files of MIDI become LSTMetallica's text, a word of nine bits a 16th and BAR behind every 16.
    To midi: such texts become MIDI. To kit:NAME: the drums of one MIDI file are written with that kit's notes, the rest stays.
    """
    if target == "words":
        report = _write_words(sources, out, marks, per_file, data)
    elif target == "midi":
        report = _write_midi(sources, _need(out), tempo, kit)
    elif target.startswith("kit:"):
        report = _change_kit(sources, _need(out), target.removeprefix("kit:"))
    else:
        raise InputError(f"--to {target}: say words, midi or kit:NAME")
    if as_json or out or per_file:
        click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report), err=not as_json and out is None)


def _need(out: Path | None) -> Path:
    if out is None:
        raise InputError("name what to write with -o")
    return out


def _write_words(specs: tuple[str, ...], out: Path | None, marks: bool, per_file: Path | None, data: Path | None) -> dict[str, Any]:
    from backbeat.codecs.metallica_text import STEPS, write_text
    from backbeat.datasets.wordifying import list_wordable, wordify
    from backbeat.files import write_bytes

    texts, left_out, bars, number = [], {}, 0, 0
    for source, made in wordify(list_wordable(specs, data)):
        if isinstance(made, str):
            left_out[source.name] = made
            continue
        texts.append(write_text(made, marks=marks))
        bars, number = bars + sum(len(w) // STEPS for w in made), number + len(made)
        if per_file:
            path = per_file / Path(source.name).with_suffix(".txt")
            _make_folder(path.parent)
            write_bytes(path, texts[-1].encode())
    if not texts:
        raise InputError(f"nothing to make words of: {next(iter(left_out.values()))}")
    text = "".join(texts)
    if out:
        write_bytes(out, text.encode())
    elif not per_file:
        click.echo(text, nl=False)
    tokens = text.split()
    report: dict[str, Any] = {"songs": number, "bars": bars, "words": len(tokens), "types": len(set(tokens)), "characters": len(text)}
    return report | {"left_out": left_out, "out": str(out or per_file)}


def _write_midi(paths: tuple[str, ...], out: Path, tempo: float, kit: str) -> dict[str, Any]:
    from backbeat.codecs.metallica_text import STEPS, read_text, write_midi
    from backbeat.files import write_bytes
    from backbeat.kits import load_kit

    notes = None if kit == "lstmetallica_9" else load_kit(kit)
    texts = [read_text(_read_file(Path(p))) for p in paths]
    songs = [words for text in texts for words in text.songs]
    if out.suffix.lower() in (".mid", ".midi"):
        write_bytes(out, write_midi(songs, tempo, notes))
        files = 1
    else:
        _make_folder(out)
        for number, words in enumerate(songs, 1):
            write_bytes(out / f"song-{number:0{len(str(len(songs)))}}.mid", write_midi([words], tempo, notes))
        files = len(songs)
    bars = sum(len(w) // STEPS for w in songs)
    return {"songs": len(songs), "bars": bars, "irregular_bars": sum(t.irregular for t in texts), "files": files, "out": str(out)}


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as text ({error})") from None


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: the folder cannot be made ({error.strerror or error})") from None


def _change_kit(paths: tuple[str, ...], out: Path, name: str) -> dict[str, Any]:
    from backbeat.kits import load_kit
    from backbeat.midi import extract_groove, read_song, write_song

    kit = load_kit(name)
    if len(paths) != 1:
        raise InputError(f"--to kit:{name} takes one MIDI file, not {len(paths)}")
    song = read_song(Path(paths[0]))
    if not song.drum_parts:
        raise InputError(f"{paths[0]} has no drums")
    groove, found = extract_groove(song, song.grid(), load_kit("general_midi"))
    groove = groove.to_kit(kit)
    written = write_song(song, groove, out)
    return {"kit": name, "hits": groove.count_hits(), "notes_before": found.notes, "notes": written.notes, "out": str(out)}


def _tell(report: dict[str, Any]) -> str:
    left_out = report.pop("left_out", {})
    lines = [f"left out {name}: {reason}" for name, reason in list(left_out.items())[:20]]
    lines += [f"and {len(left_out) - 20} more"] if len(left_out) > 20 else []
    where = report.pop("out")
    hits = report.pop("hits", None)
    lines.append(", ".join(f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in report.items()))
    lines += [", ".join(f"{n} {name.replace('_', ' ')}" for name, n in hits.items() if n)] if hits else []
    return "\n".join([*lines, f"wrote {where}"])
