"""What a song or a groove sounds and looks like: audio, and bars as text."""

from backbeat.render.audio import Audio, render_midi, render_song, write_wav
from backbeat.render.text import draw_bars

__all__ = ["Audio", "draw_bars", "render_midi", "render_song", "write_wav"]
