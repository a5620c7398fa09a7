"""The studio: a local web page on which a song gets its drums, and the work on it is kept."""
