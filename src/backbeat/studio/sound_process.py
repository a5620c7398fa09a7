"""The process that makes sound: the synthesiser holds Python's lock while it works, and could not be stopped; a process of its own can.

``python -m backbeat.studio.sound_process FOLDER`` reads ``order.json`` and ``song.mid`` in a folder, says on stdout how many stems are done,
and leaves its files there, or one line in ``error``.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

from backbeat.errors import BackbeatError
from backbeat.midi import read_song
from backbeat.render.stems import Stems

ORDER, SONG, ERROR = "order.json", "song.mid", "error"


def work(folder: Path) -> None:
    """Do what the order says: ``{"stems": [[name, pitches or null], ...], "mixes": {file: [numbers of stems]}, "zip": file or null, "add": [files]}``.

    Raises:
        InputError: there is nothing to hear.
    """
    order = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    song, stems = read_song(folder / SONG), Stems(folder)
    for name, pitches in order["stems"]:
        stems.render(song, name, pitches)
        sys.stdout.write(f"{len(stems.names)}\n")
        sys.stdout.flush()
    stems.level()
    if not order["zip"]:
        with (folder / order["out"]).open("wb") as file:
            stems.write(file, None)
        return
    with zipfile.ZipFile(folder / order["out"], "w", zipfile.ZIP_STORED) as archive:
        for number, name in enumerate(["mix", *stems.names]):
            with archive.open(f"{name}.wav", "w", force_zip64=True) as file:
                stems.write(file, number - 1 if number else None)  # type: ignore[arg-type]  # a zip's file is a binary file
        for name in order["add"]:
            archive.write(folder / name, name)


def main(folder: Path) -> int:
    """Work, and leave one line where it goes wrong."""
    try:
        work(folder)
    except (BackbeatError, MemoryError) as error:
        (folder / ERROR).write_text(str(error) or "out of memory: try a shorter song", encoding="utf-8")
        return 1
    except OSError as error:
        (folder / ERROR).write_text(f"the sound cannot be written ({error.strerror})", encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
