"""Humanise: the drum notes of a file played by a drummer, with the feel that is asked for. The hits stay, so does everything else.

Example:
    >>> from backbeat.humanising import Wish, humanise
    >>> from backbeat.midi import read_song
    >>> done = humanise(read_song("drums.mid"), Wish(seed=7))  # doctest: +SKIP
    >>> open("humanised.mid", "wb").write(done.data)  # doctest: +SKIP
"""

from backbeat.humanising.measuring import Measured, measure_feel
from backbeat.humanising.session import Humanised, humanise
from backbeat.humanising.wish import Player, Wish

__all__ = ["Humanised", "Measured", "Player", "Wish", "humanise", "measure_feel"]
