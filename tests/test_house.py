"""The house rules: which room may import which, what is loaded at import, and how long a module and a function may get."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import backbeat

SRC = Path(backbeat.__file__).parent
FLOORS = (
    {"errors", "files"},
    {"units", "kits"},
    {"grid"},
    {"groove", "song"},
    {"midi", "codecs"},
    {"features", "tonality"},
    {"cues", "transforms", "sampling"},
    {"metrics", "render"},
    {"datasets", "networks", "runtime"},
    {"models", "originality"},
    {"evaluation"},
    {"training"},
    {"performer"},
    {"profiles"},
    {"takes", "humanising", "asking", "touch"},
    {"finishing"},
    {"drummer", "plain_drummer", "appreciation"},
    {"infilling", "tapping", "composing"},
    {"cli", "studio", "__main__"},
)
"""Rooms from the ground up, as drawn in the design; a room imports from its own floor or from below."""

LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
MODULE_LINES, FUNCTION_LINES = 500, 80
TORCH_ROOMS = {"networks", "training"}
FILES = sorted(SRC.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One import of a Backbeat module: who imports what, and in which line."""

    source: str
    target: str
    place: str


def name_module(path: Path) -> str:
    """``backbeat.midi.reader`` of its path; packages by their own name."""
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_module(p) for p in FILES}


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def at(path: Path, node: ast.AST) -> str:
    """``src/backbeat/grid.py:17``, for messages."""
    return f"{path.relative_to(SRC.parent.parent).as_posix()}:{getattr(node, 'lineno', 1)}"


def find_targets(node: ast.AST, path: Path) -> Iterator[str]:
    """Modules, of Backbeat or not, that an import statement loads."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = path.relative_to(SRC.parent).parts[: -node.level]
            base = ".".join((*package, base)).strip(".")
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in MODULES else base
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
        yield from (a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str))


def list_imports() -> list[Import]:
    """Every import of a Backbeat module in the house, lazy ones included."""
    found = []
    for path in FILES:
        for node in ast.walk(parse(path)):
            for target in find_targets(node, path):
                if target.split(".")[0] == "backbeat":
                    found.append(Import(name_module(path), target, at(path, node)))
    return found


def name_room(module: str) -> str:
    """The room of a module; "" for the package itself."""
    return (module.split(".") + [""])[1]


def test_every_room_has_its_floor() -> None:
    unknown = {name_room(m) for m in MODULES} - set(LEVEL) - {""}
    assert not unknown, f"rooms without a floor in tests/test_house.py: {sorted(unknown)}"


def test_imports_run_downwards() -> None:
    wrong = []
    for edge in list_imports():
        source, target = name_room(edge.source), name_room(edge.target)
        if source and target and LEVEL[target] > LEVEL[source]:
            wrong.append(f"{edge.place}: {source} imports {edge.target}, which is above it")
    assert not wrong, "\n".join(wrong)


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one import cycle, [] where there is none."""
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in done:
            return []
        for target in sorted(graph.get(module, ())):
            cycle = visit(target, [*trail, module])
            if cycle:
                return cycle
        done.add(module)
        return []

    return next((c for c in (visit(m, []) for m in sorted(graph)) if c), [])


def test_the_finder_of_cycles_finds_one() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_import_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for edge in list_imports():
        if edge.source != edge.target and "backbeat" not in (edge.source, edge.target):
            graph.setdefault(edge.source, set()).add(edge.target)
    assert not (cycle := find_cycle(graph)), " imports ".join(cycle)


def test_torch_is_named_only_where_networks_are_trained() -> None:
    wrong = []
    for path in FILES:
        if name_room(name_module(path)) in TORCH_ROOMS:
            continue
        top = [n for n in parse(path).body if isinstance(n, ast.Import | ast.ImportFrom)]
        wrong += [f"{at(path, n)}: imports {t}" for n in top for t in find_targets(n, path) if t.split(".")[0] in ("torch", "safetensors")]
        wrong += [f"{at(path, n)}: imports {t}" for n in top for t in find_targets(n, path) if name_room(t) in TORCH_ROOMS and t.startswith("backbeat.")]
    assert not wrong, "\n".join(wrong)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that finds this checkout."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment())


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(SRC.parent)}


def test_importing_loads_no_heavy_package() -> None:
    code = "import sys, backbeat; print([m for m in ('torch', 'onnxruntime', 'symusic', 'numpy') if m in sys.modules])"
    result = run_python(code)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_public_names_resolve_without_torch() -> None:
    code = "import sys, backbeat; [getattr(backbeat, n) for n in backbeat.__all__]; print('torch' in sys.modules)"
    result = run_python(code)
    assert (result.stdout.strip(), result.stderr) == ("False", "")


def test_help_loads_no_torch() -> None:
    if not (SRC / "cli").is_dir():
        pytest.skip("this checkout has no command line yet")
    code = (
        "import sys\nfrom importlib.metadata import entry_points\nfrom backbeat.cli import main\nsys.argv = ['backbeat', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('loaded:', [m for m in ('torch', 'onnxruntime') if m in sys.modules])"
    )
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout and result.stdout.rstrip().endswith("loaded: []"), result.stdout


def list_functions() -> Iterator[tuple[Path, Function]]:
    for path in FILES:
        for node in ast.walk(parse(path)):
            if isinstance(node, Function):
                yield path, node


def list_public(body: list[ast.stmt]) -> Iterator[ast.ClassDef | Function]:
    """Public classes and functions of a module, and the methods of public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from list_public(node.body)


def test_public_names_have_docstrings() -> None:
    missing = [f"{at(p, n)}: {n.name} has no docstring" for p in FILES for n in list_public(parse(p).body) if not ast.get_docstring(n)]
    assert not missing, "\n".join(missing)


def test_modules_have_docstrings() -> None:
    missing = [f"{at(p, parse(p))}: the module has no docstring" for p in FILES if parse(p).body and not ast.get_docstring(parse(p))]
    assert not missing, "\n".join(missing)


def test_functions_are_annotated() -> None:
    missing = []
    for path, node in list_functions():
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
        if bare or (node.returns is None):
            missing.append(f"{at(path, node)}: {node.name} lacks {', '.join(bare) or 'its return type'}")
    assert not missing, "\n".join(missing)


def test_modules_are_short() -> None:
    long = [f"{at(p, parse(p))}: {n} lines, at most {MODULE_LINES}" for p in FILES if (n := p.read_text(encoding="utf-8").count("\n")) > MODULE_LINES]
    assert not long, "\n".join(long)


def test_functions_are_short() -> None:
    long = []
    for path, node in list_functions():
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            long.append(f"{at(path, node)}: {node.name} has {length} lines, at most {FUNCTION_LINES}")
    assert not long, "\n".join(long)


def test_no_assert_in_the_source() -> None:
    wrong = [f"{at(p, n)}: assert (raise an error of errors.py)" for p in FILES for n in ast.walk(parse(p)) if isinstance(n, ast.Assert)]
    assert not wrong, "\n".join(wrong)


def test_no_print_below_the_command_line() -> None:
    wrong = []
    for path in FILES:
        if name_room(name_module(path)) in ("cli", "__main__"):
            continue
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                wrong.append(f"{at(path, node)}: print")
    assert not wrong, "\n".join(wrong)
