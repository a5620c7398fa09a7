"""What the page is told of a song, as JSON: bars, parts, sections; and of the kit and its pieces."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from backbeat import __version__
from backbeat.cues import Cues
from backbeat.kits import GENERAL_MIDI, list_kits, load_kit
from backbeat.render.programs import NAMES
from backbeat.render.timeline import seconds_of
from backbeat.song import Part, Song
from backbeat.studio.sections import find_sections, measure_intensity
from backbeat.takes import MAX_STEPS, MAX_TAKES

View = dict[str, Any]

KIT = "backbeat"
ELECTRONIC = ("roland_td11",)
PIECES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "kick": ("Kick", "kick", ("kick",)),
    "snare": ("Snare", "snare", ("snare", "side_stick")),
    "hi_hat": ("Hi-hat", "hi-hat", ("closed_hat", "pedal_hat", "open_hat")),
    "high_tom": ("High tom", "toms", ("high_tom",)),
    "mid_tom": ("Mid tom", "toms", ("mid_tom",)),
    "low_tom": ("Low tom", "toms", ("low_tom",)),
    "crash": ("Crash", "cymbals", ("crash",)),
    "ride": ("Ride", "cymbals", ("ride", "ride_bell")),
    "splash": ("Splash", "cymbals", ("splash",)),
    "china": ("China", "cymbals", ("china",)),
    "clap": ("Clap", "percussion", ("clap",)),
    "cowbell": ("Cowbell", "percussion", ("cowbell",)),
    "claves": ("Claves", "percussion", ("claves",)),
    "tambourine": ("Tambourine", "percussion", ("tambourine",)),
    "shaker": ("Shaker", "percussion", ("shaker", "light_shaker")),
    "hand_percussion": ("Hand percussion", "percussion", ("hand_percussion_high",)),
    "bongo": ("Bongo", "percussion", ("high_bongo",)),
    "congas": ("Congas", "percussion", ("mute_conga", "low_conga")),
}
"""The pieces of the kit: label, group, and the classes that are strokes on it. The strokes of a hi-hat choke each other, so they stay together."""

MAX_NAME = 120
MAX_PARTS = 1000


def view_about(styles: tuple[str, ...]) -> View:
    """What the studio is: its version, the styles, the kit with its classes in the order of the columns, and the kit maps for downloads.

    Args:
        styles: those that can be asked for.
    """
    limits = {"bytes": 16 << 20, "steps": MAX_STEPS, "takes": MAX_TAKES}
    return {"version": __version__, "styles": list(styles), "kit": view_kit(), "kits": list_kit_maps(), "limits": limits}


@lru_cache(1)
def view_kit() -> View:
    """The kit of the grid: its classes, and the pieces they belong to."""
    piece = {name: (key, group) for key, (_, group, names) in PIECES.items() for name in names}
    kit = load_kit(KIT)
    classes = [{"name": c.name, "label": c.label, "note": c.write, "group": piece[c.name][1], "piece": piece[c.name][0]} for c in kit.classes]
    pieces = [{"name": key, "label": label, "group": group, "classes": list(names)} for key, (label, group, names) in PIECES.items()]
    return {"name": kit.name, "classes": classes, "pieces": pieces}


@lru_cache(1)
def list_kit_maps() -> list[View]:
    """The kit maps that a download can be written for: General MIDI first, then samplers and electronic kits; those of other models are left out."""
    kits = [load_kit(name) for name in list_kits()]
    maps = [kit for kit in kits if kit.layout != GENERAL_MIDI or kit.name in ELECTRONIC]
    return [{"name": KIT, "label": "General MIDI"}, *({"name": kit.name, "label": kit.title} for kit in maps)]


def view_song(song: Song, cues: Cues) -> View:
    """A song as the page draws it.

    Args:
        song: the song.
        cues: what its band plays, on its 16ths; bars are real ones, so their steps differ.
    """
    grid, sections = cues.grid, find_sections(cues)
    step_seconds = seconds_of(song.tempo, grid.step_ticks)
    section_of = np.repeat(np.arange(len(sections)), [s.bars for s in sections]).tolist()
    columns = (grid.bar_ticks[:-1], step_seconds[grid.first_steps[:-1]], grid.bar_steps, grid.first_steps[:-1], cues.qpm.astype(np.float64))
    bars = [
        {
            "tick": tick,
            "seconds": round(seconds, 5),
            "numerator": numerator,
            "denominator": denominator,
            "steps": steps,
            "first_step": first,
            "qpm": round(qpm, 2),
            "section": section,
        }
        for tick, seconds, steps, first, qpm, numerator, denominator, section in zip(
            *(c.tolist() for c in columns), grid.numerators, grid.denominators, section_of, strict=True
        )
    ]
    return {
        "bars": bars,
        "steps": grid.steps,
        "step_seconds": np.round(step_seconds, 5).tolist(),
        "duration": round(max(float(step_seconds[-1]), float(seconds_of(song.tempo, np.array([song.last_note_tick]))[0])), 5),
        "parts": [view_part(index, part) for index, part in enumerate(song.parts[:MAX_PARTS])],
        "sections": [{"first_bar": s.first_bar, "bars": s.bars, "label": s.label} for s in sections],
        "intensity": np.round(measure_intensity(cues), 3).tolist(),
        "warnings": [shorten(w, 300) for w in song.warnings[:20]],
    }


def view_part(index: int, part: Part) -> View:
    """One part of a song."""
    return {
        "index": index,
        "name": shorten(part.name),
        "channel": part.channel,
        "program": part.program,
        "program_name": "Drums" if part.is_drums else NAMES[part.program],
        "notes": len(part.notes),
        "drums": part.is_drums,
    }


def shorten(text: str, length: int = MAX_NAME) -> str:
    """A text in at most so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
