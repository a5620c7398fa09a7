"""The commands, run in this process as the installed script runs them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest

from backbeat.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
SHIPPED = resources.files("backbeat").joinpath("weights/drummer/config.json").is_file()


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``backbeat`` with arguments; the exit status and what it printed."""

    def run_command(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["backbeat", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run_command


@pytest.fixture
def refused(run: Run) -> Callable[..., str]:
    """Run ``backbeat`` with arguments that must end in exit status 1 and one line on stderr; that line."""

    def run_refused(*arguments: object) -> str:
        result = run(*arguments)
        assert result.code == 1, result
        assert result.out == ""
        assert result.err.startswith("backbeat: ") and result.err.endswith("\n"), result.err
        assert result.err.count("\n") == 1 and "Traceback" not in result.err, result.err
        return result.err

    return run_refused


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the short example song, in a folder of its own."""
    if not SHIPPED:
        pytest.skip("the shipped weights are not there yet: export them first")
    path = tmp_path / "song.mid"
    path.write_bytes((EXAMPLES / "ballad.mid").read_bytes())
    return path
