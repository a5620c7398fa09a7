"""Appreciation: how well a drum track, anybody's, suits its song.

``appreciate(song)`` listens to the band, to what a drummer network would expect of it, and to the drums, and says in a number, in parts
and bar by bar how well they belong together. See docs/score.md for what the number means and how it was checked.
"""

from backbeat.appreciation.verdict import Appreciation, PartScore, Passage, appreciate

__all__ = ["Appreciation", "PartScore", "Passage", "appreciate"]
