"""Tonality: which key a melody or a song is in, by rules of 2020 (``tonika``) or by our own scores (``keys``)."""
