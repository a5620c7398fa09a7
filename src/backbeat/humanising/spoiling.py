"""Bars that playing them anew has made too much for two hands and two feet."""

from __future__ import annotations

from backbeat.song import Song
from backbeat.transforms.playability import find_note_conflicts

_SHOWN = 8


def remark_spoilt(song: Song, written: Song) -> list[str]:
    """A line that names the bars that could be played in a song and cannot any more; no line if there are none.

    Args:
        song: as it was.  written: as it is.
    """
    after = {c.bar + 1 for c in find_note_conflicts(written)}
    spoilt = sorted(after - {c.bar + 1 for c in find_note_conflicts(song)}) if after else []
    if not spoilt:
        return []
    bars = ", ".join(map(str, spoilt[:_SHOWN])) + (" ..." if len(spoilt) > _SHOWN else "")
    return [f"played so, two hands and two feet cannot do bar {bars}: another seed or more tightness may help (see 'backbeat check')"]
