"""``backbeat studio``: a local web page for an evening of work on drums."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread

import click

DEFAULT_PORT = 8765


@click.command("studio")
@click.argument("song", required=False, type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="Port of this machine; 0 takes any that is free.")
@click.option("--no-browser", is_flag=True, help="Only print the address, open no browser.")
@click.option("--home", type=click.Path(path_type=Path), help="Folder for the projects. Default: ~/.local/share/backbeat/studio.")
@click.option("--json", "as_json", is_flag=True, help="Print the address, the project and the folder as one JSON object.")
def command(song: Path | None, port: int, no_browser: bool, home: Path | None, as_json: bool) -> None:
    """Open the studio, a page in your browser: hear a song with its drums, ask for takes, play bars anew, edit, take files away.

    With SONG, a MIDI or .backbeat file, that song is opened; else drop one on the page, or start without.

    Everything stays on this machine: the page is served to it alone and needs no network. Ctrl-C ends it; nothing is lost.
    """
    from backbeat.midi.reader import read_bytes
    from backbeat.studio.app import make_app
    from backbeat.studio.engine import Studio
    from backbeat.studio.events import Newsroom
    from backbeat.studio.opening import open_file
    from backbeat.studio.serving import bind, end_threads, serve
    from backbeat.studio.store import Store

    data = read_bytes(song) if song else b""
    with bind(port) as listener:
        studio, newsroom = Studio(Store(home)), Newsroom()
        project = open_file(studio, song.name, data).id if song else None
        port = listener.getsockname()[1]
        address = f"http://127.0.0.1:{port}/{f'#{project}' if project else ''}"

        def tell() -> None:
            click.echo(json.dumps({"url": address, "project": project, "home": str(studio.store.home)}) if as_json else address)
            Thread(target=lambda: studio.drummer, name="studio-drummer", daemon=True).start()  # so that it is there when it is asked for
            if not no_browser:
                click.launch(address)

        try:
            serve(make_app(studio, newsroom, port), newsroom, listener, tell)
        finally:
            studio.close()
            end_threads("studio-")
