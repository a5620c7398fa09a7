"""The command line: thin commands, each loaded only when it is called.

Adding a command is adding a module with a click command named ``command`` and a line in ``COMMANDS``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword

import click

from backbeat import __version__
from backbeat.errors import BackbeatError

COMMANDS = {
    "accompany": "Add a drum track to a song.",
    "studio": "Work on drums in a page of your browser.",
    "groove": "Play drums without a song.",
    "continue": "Go on after a few bars of drums.",
    "infill": "Play some bars of a song's drums anew.",
    "tap": "Make a groove of a tapped rhythm, or of a part of a song.",
    "convert": "Turn MIDI into words and back, or drums from kit to kit.",
    "humanise": "Play drums as a person would.",
    "melody": "Write a melody on drums.",
    "notes": "Go on after a piano piece, note by note.",
    "text": "Write drums as text.",
    "inspect": "Show what is understood of a MIDI file.",
    "key": "Say which key a melody or a song is in.",
    "render": "Render a MIDI file as audio.",
    "kits": "List kit maps, or show one.",
    "corpus": "Build training data from MIDI collections.",
    "models": "List the models and what each can do.",
    "train": "Train a model.",
    "evaluate": "Measure a model beside its floors.",
    "log-likelihood": "Say how likely drums are to a model.",
    "listening": "Analyse the answers of a listening test.",
    "learn": "Learn how a player plays from a few takes.",
    "check": "Say whether two hands and two feet can play drums.",
    "score": "Say how well drums suit a song.",
    "originality": "Find drums in training data.",
    "compose": "A whole song from nothing: a form, drums, and melodies on them.",
    "map": "Draw a map of drum patterns: a page to look at, hear and bend.",
    "patterns": "Mine drum patterns, and sample a space of them.",
}


def name_module(command: str) -> str:
    """The module that holds a command: its name, with what Python forbids in one exchanged."""
    name = command.replace("-", "_")
    return f"backbeat.cli.{name}_" if iskeyword(name) else f"backbeat.cli.{name}"


class _Lazy(click.Group):
    """A group that knows its commands' names and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(name_module(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="backbeat")
def group() -> None:
    """Give it a song, get a drummer."""


def main() -> None:
    """Run a command: exit 0, 1 with one line that says why, or 2 for wrong usage."""
    _print_any_text()
    try:
        group(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail("stopped", 130)
    except BackbeatError as error:
        _fail(str(error), 1)
    except MemoryError:
        _fail("out of memory: try a shorter song or fewer takes", 1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _print_any_text() -> None:
    """Escape what the terminal's encoding cannot show (file names that are no UTF-8, say) instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _fail(message: str, code: int) -> None:
    click.echo(f"backbeat: {' '.join(message.split())}", err=True)
    sys.exit(code)
