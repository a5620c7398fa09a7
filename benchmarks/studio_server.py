"""How quickly a song is on the page: upload, view and playback, asked of a real server.

``python benchmarks/studio_server.py [--data DIR] [--bars 200] [--songs 6]``.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backbeat.errors import BackbeatError
from backbeat.midi import read_song


def find_songs(folder: Path, bars: int, count: int) -> list[tuple[Path, int, int]]:
    """Songs of about so many bars: path, bars, notes of the band."""
    found = []
    for path in sorted(folder.rglob("*.mid")):
        try:
            song = read_song(path)
            length = song.grid().bars
        except BackbeatError:
            continue
        if abs(length - bars) <= bars * 0.05:
            found.append((path, length, sum(len(p.notes) for p in song.band)))
        if len(found) == count:
            break
    return found


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[bytes, float]:
    """The answer, and the seconds it took."""
    started = time.perf_counter()
    connection.request(method, path, body, {"content-type": "application/octet-stream"} if body else {})
    answer = connection.getresponse().read()
    return answer, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("BACKBEAT_DATA", "data")))
    parser.add_argument("--bars", type=int, default=200)
    parser.add_argument("--songs", type=int, default=6)
    options = parser.parse_args()
    songs = find_songs(options.data / "songs" / "validation", options.bars, options.songs)
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        command = [sys.executable, "-m", "backbeat", "studio", "--no-browser", "--port", "0", "--home", home, "--json"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        port = int(json.loads(server.stdout.readline())["url"].split(":")[2].strip("/"))
        connection = http.client.HTTPConnection("127.0.0.1", port)
        ask(connection, "GET", "/api/about")
        print(f"start until the first answer: {time.perf_counter() - began:.2f} s\n")
        print("| bars | notes of the band | upload and view, s | playback, s | together, s | playback, KB |\n|---|---|---|---|---|---|")
        for path, bars, notes in songs:
            view, one = ask(connection, "POST", "/api/projects?name=song.mid", path.read_bytes())
            playback, two = ask(connection, "GET", f"/api/projects/{json.loads(view)['id']}/playback")
            print(f"| {bars} | {notes:,} | {one:.3f} | {two:.3f} | {one + two:.3f} | {len(playback) >> 10} |")
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
