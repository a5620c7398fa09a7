"""What holds for every command: help, a place in the docs, lazy loading, exit codes and one line for what goes wrong."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import backbeat
from backbeat import cli
from backbeat.errors import InputError

ROOT = Path(__file__).parents[2]


def run_main(monkeypatch, capsys, *arguments):
    """Exit code, stdout and stderr of ``backbeat ARGUMENTS``."""
    monkeypatch.setattr(sys, "argv", ["backbeat", *arguments])
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    return code, *capsys.readouterr()


def fail_with(monkeypatch, error):
    """Make ``backbeat kits`` raise."""

    def callback(**_):
        raise error

    monkeypatch.setattr(import_module("backbeat.cli.kits").command, "callback", callback)


def list_commands(command, name):
    """A command and, of a group, those below it."""
    yield name, command
    if isinstance(command, click.Group):
        for child, inner in command.commands.items():
            yield from list_commands(inner, f"{name} {child}")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_and_its_options_have_help(name):
    for full_name, command in list_commands(import_module(cli.name_module(name)).command, name):
        assert command.help, f"{full_name} has no help"
        bare = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
        assert not bare, f"options of {full_name} without help: {bare}"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_is_in_the_docs(name):
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    assert any(f"backbeat {name}" in page.read_text(encoding="utf-8") for page in pages), f"no page shows 'backbeat {name}'"


def test_every_module_of_a_command_is_in_the_table():
    modules = {p.stem for p in Path(cli.__file__).parent.glob("*.py") if "\ndef command(" in p.read_text(encoding="utf-8")}
    assert modules == {cli.name_module(name).split(".")[-1] for name in cli.COMMANDS}


def test_help_lists_every_command_and_loads_none():
    code = (
        "import sys; sys.argv = ['backbeat', '--help']\nfrom backbeat.cli import main\nmain()\n"
        "print(sorted(m for m in sys.modules if m.startswith('backbeat.cli.') or m in ('numpy', 'onnxruntime', 'torch')))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "[]"
    assert all(f"  {name} " in result.stdout for name in cli.COMMANDS)


def test_version_is_that_of_the_package(monkeypatch, capsys):
    assert run_main(monkeypatch, capsys, "--version") == (0, f"backbeat, version {backbeat.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sing",), "No such command 'sing'"),
        (("inspect",), "Missing argument 'FILE'"),
        (("kits", "--loud"), "No such option"),
        (("accompany", "a.mid", "--takes", "x"), "not a valid integer"),
    ],
)
def test_wrong_usage_exits_2(monkeypatch, capsys, arguments, message):
    code, out, err = run_main(monkeypatch, capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err and "Usage:" in err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("song.mid: nothing\nto hear"), 1, "backbeat: song.mid: nothing to hear\n"),
        (MemoryError(), 1, "backbeat: out of memory: try a shorter song or fewer takes\n"),
        (KeyboardInterrupt(), 130, "backbeat: stopped\n"),
    ],
)
def test_what_goes_wrong_is_one_line_and_an_exit_code(monkeypatch, capsys, error, code, line):
    fail_with(monkeypatch, error)
    got, out, err = run_main(monkeypatch, capsys, "kits")
    assert (got, out, err.lstrip("\n")) == (code, "", line)


def test_a_bug_stays_a_traceback(monkeypatch, capsys):
    fail_with(monkeypatch, ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run_main(monkeypatch, capsys, "kits")


def test_a_reader_that_goes_away_ends_the_command_quietly():
    code = "import sys; sys.argv = ['backbeat', 'kits', 'general_midi']\nfrom backbeat.cli import main\nmain()"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=30, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}
        )
    finally:
        os.close(writer)
    assert result.returncode == 1
    assert result.stderr == ""
