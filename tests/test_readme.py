"""The README's code works: its python and bash blocks run in order, in a copy of the examples."""

import re
import shlex
import shutil
from importlib import resources
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from backbeat.cli import group

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^(?P<skip><!-- no-run -->\n)?```(?P<language>python|bash)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(page.name, m["language"], m["code"]) for page in PAGES for m in BLOCK.finditer(page.read_text(encoding="utf-8")) if not m["skip"]]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")

needs_weights = pytest.mark.skipif(
    not resources.files("backbeat").joinpath("weights/drummer/config.json").is_file(), reason="the shipped weights are not there yet: export them first"
)


def _run_command(line):
    name, *arguments = shlex.split(line, comments=True)
    assert name == "backbeat", f"only backbeat commands can be tested, or mark the block <!-- no-run -->: {line}"
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 0, f"{line}\n{result.output}{result.exception!r}"
    return result


@needs_weights
@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({page for page, _, _ in BLOCKS}))
def test_the_code_on_a_page_runs(page, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    for _, language, code in (b for b in BLOCKS if b[0] == page):
        if language == "python":
            exec(compile(code, page, "exec"), {"__name__": "page"})  # the page is ours
        else:
            for line in code.replace("\\\n", " ").splitlines():
                if line.strip():
                    _run_command(line)


def test_the_readme_has_code_to_run():
    languages = [language for page, language, _ in BLOCKS if page == "README.md"]
    assert languages.count("python") >= 2 and languages.count("bash") >= 4


def test_both_make_commands_stand_in_the_first_30_lines():
    first = README.splitlines()[:30]
    assert "make demo" in first and "make test" in first
    assert "Give it a song, get a drummer" in "".join(first)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_to_files(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, page.name


def test_the_readme_names_every_option_of_accompany():
    command = group.get_command(click.Context(group), "accompany")
    names = {o for p in command.params for o in p.opts if o.startswith("--")} - {"--out"}
    assert not {n for n in names if f"`{n}" not in README}


def test_the_figures_have_their_place():
    assert README.index("<!-- figures -->") < README.index("<!-- /figures -->")


def test_no_page_names_a_folder_of_somebodys_machine():
    for page in PAGES:
        assert not re.search(r"/(home|work|tmp|Users)/", page.read_text(encoding="utf-8")), page.name
