"""MIDI bytes to Song and Groove, and back without touching what is not ours."""

from backbeat.midi.grooves import DrumReport, extract_groove
from backbeat.midi.reader import parse_song, read_song
from backbeat.midi.splice import splice_drums
from backbeat.midi.writer import WriteReport, write_groove, write_song

__all__ = ["DrumReport", "WriteReport", "extract_groove", "parse_song", "read_song", "splice_drums", "write_groove", "write_song"]
