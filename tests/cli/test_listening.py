import json

from click.testing import CliRunner

from backbeat.cli.listening import command
from backbeat.errors import InputError
from tests.evaluation.test_listening_analysis import make_answers, make_key, write


def run(*arguments):
    return CliRunner().invoke(command, list(map(str, arguments)))


def test_means_and_differences_are_told(tmp_path):
    key = write(tmp_path, make_key(), "key.json")
    files = [write(tmp_path, make_answers(n, lambda clip: 5 - int(clip[1])), f"{n}.json") for n in "ab"]
    result = run(key, *files)
    assert result.exit_code == 0, result.output
    assert "2 listeners, 4 songs, 48 of 48 ratings; intervals hold 95 %" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["drummer", "4.00", "[", "4.00,", "4.00]", "8", "ratings"] in lines
    assert ["real", "drums", "-", "rock", "loop", "+2.00", "[+2.00,", "+2.00]", "8", "ratings"] in lines


def test_json_is_for_machines_and_can_be_kept(tmp_path):
    key, answers = write(tmp_path, make_key(), "key.json"), write(tmp_path, make_answers())
    result = run(key, answers, "--json", "-o", tmp_path / "out.json")
    told = json.loads(result.stdout)
    assert told == json.loads((tmp_path / "out.json").read_text())
    assert told["questions"]["suits"]["means"][0]["mean"] == 3.0


def test_a_listener_who_sends_two_files_is_told_of(tmp_path):
    key = write(tmp_path, make_key(), "key.json")
    files = [write(tmp_path, make_answers("a", lambda clip, r=r: r), f"{r}.json") for r in (1, 4)]
    result = run(key, *files, "--json")
    assert "1 of 2 files are of a listener who sent a later one" in result.stderr
    assert json.loads(result.stdout)["questions"]["suits"]["means"][0]["mean"] == 4.0


def test_what_is_damaged_is_one_line(tmp_path):
    result = run(write(tmp_path, make_key(), "key.json"), write(tmp_path, "nonsense"))
    assert isinstance(result.exception, InputError) and "answers.json" in str(result.exception)


def test_what_is_missing_is_counted(tmp_path):
    few = make_answers("a", lambda clip: 3)
    few["answers"] = few["answers"][:5]
    result = run(write(tmp_path, make_key(), "key.json"), write(tmp_path, few))
    assert "1 listener, 4 songs, 10 of 24 ratings" in result.stdout


def test_a_clip_that_is_rated_twice_is_refused(tmp_path):
    double = make_answers("a", lambda clip: 3)
    double["answers"] = double["answers"][:2] * 2
    result = run(write(tmp_path, make_key(), "key.json"), write(tmp_path, double))
    assert isinstance(result.exception, InputError) and "answer 3 rates clip" in str(result.exception) and "a second time" in str(result.exception)


def test_answers_are_wanted(tmp_path):
    assert run(write(tmp_path, make_key(), "key.json")).exit_code == 2
