"""The command line: help that is there at once, and errors of one line."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperOption
from typer.testing import CliRunner

from rlhf_app.cli import cli
from rlhf_app.cli.data import mapping
from rlhf_app.errors import BadInput
from rlhf_app.records import as_json_value
from rlhf_app.training.config import TrainingConfig

ROOT = Path(__file__).parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


def commands() -> dict[str, Any]:
    """Every command by the words that call it."""
    found: dict[str, Any] = {}

    def walk(words: str, command: Any) -> None:
        found[words] = command
        for name, each in getattr(command, "commands", {}).items():
            walk(f"{words} {name}".strip(), each)

    walk("", typer.main.get_command(cli))
    return found


COMMANDS = commands()


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run `python -m rlhf_app` with a home of its own."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "RLHF_APP_HOME": str(tmp_path / "home"), **environment}
        arguments = [sys.executable, "-m", "rlhf_app", *map(str, words)]
        return subprocess.run(
            arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def assert_told_in_one_line(answer: subprocess.CompletedProcess[str], what: str) -> None:
    assert answer.returncode == 2, answer.stderr
    assert answer.stdout == ""
    [line] = answer.stderr.splitlines()
    assert line.startswith("Error: ")
    assert what in line


def test_there_is_a_command_for_every_job() -> None:
    jobs = {"import", "datasets", "annotate", "train", "runs", "evaluate", "score", "serve"}
    assert jobs <= set(COMMANDS)
    assert {"runs show", "runs stop", "runs log"} <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_help_that_says_what_it_does(words: str) -> None:
    answer = CliRunner().invoke(cli, [*words.split(), "--help"])
    assert answer.exit_code == 0
    assert "Usage:" in answer.output
    assert (COMMANDS[words].help or "").split(".")[0].split("\n")[0][:60] in " ".join(answer.output.split())


@pytest.mark.parametrize("words", [words for words, each in COMMANDS.items() if not hasattr(each, "commands")])
def test_every_option_says_what_it_is_and_every_command_has_an_example(words: str) -> None:
    each = COMMANDS[words]
    assert "Example" in (each.epilog or "")
    assert any(isinstance(p, TyperOption) for p in each.params)
    silent = [p.name for p in each.params if isinstance(p, TyperOption) and not p.help]
    assert silent == []


@pytest.mark.parametrize("setting", [each.name for each in fields(TrainingConfig)])
def test_every_setting_of_a_run_can_be_given_to_train(setting: str) -> None:
    given = {each for parameter in COMMANDS["train"].params for each in (*parameter.opts, parameter.name)}
    assert given & {setting, "--" + setting.replace("_", "-"), "--" + setting.replace("_", "-").removesuffix("s")}


def test_help_is_there_at_once_and_loads_no_heavy_library(command: Command) -> None:
    begin = time.monotonic()
    answer = command("train", "--help", PYTHONPROFILEIMPORTTIME="1")
    assert answer.returncode == 0
    assert time.monotonic() - begin < 5
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in answer.stderr.splitlines()}
    assert "typer" in loaded
    assert not loaded & {"torch", "transformers", "trl", "gradio", "pandas"}


def test_help_touches_no_disk(command: Command, tmp_path: Path) -> None:
    assert command("import", "--help").returncode == 0
    assert not (tmp_path / "home").exists()


def test_columns_are_mapped() -> None:
    assert mapping(["question=prompt", "the best=chosen"]) == {"question": "prompt", "the best": "chosen"}
    assert mapping([]) == {}


@pytest.mark.parametrize("wrong", ["question", "=prompt", "question=", ""])
def test_a_mapping_without_both_sides_is_refused(wrong: str) -> None:
    with pytest.raises(BadInput, match=r"not of the form COLUMN=MEANING"):
        mapping(["a=b", wrong])


def test_a_wrong_mapping_ends_with_one_line(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("question,best,worst\nWhy?,Because.,No.\n")
    assert_told_in_one_line(command("import", path, "--columns", "question"), "COLUMN=MEANING")


def test_columns_that_are_not_there_are_told_with_those_that_are(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("question,best,worst\nWhy?,Because.,No.\n")
    assert_told_in_one_line(command("import", path, "--columns", "ask=prompt"), "question, best, worst")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("import nowhere.jsonl", "nowhere.jsonl"),
        ("annotate nothing --id 1 --choice a", "no dataset 'nothing'"),
        ("annotate sample --id sample-001", "--id and --choice go together"),
        ("annotate sample --id sample-001 --choice left", "'left' is no choice"),
        ("annotate sample --id nothing --choice a", "no comparison 'nothing'"),
        ("train sample --preset slow", "one of quick, balanced, full"),
        ("train sample --epochs 0", "epochs is 0.0; it goes from 0.1"),
        ("train sample --held-out-topics nothing", "'sample' has comparisons without a topic"),
        ("train ../sample", "cannot be a name"),
        ("runs show nothing", "no run 'nothing'"),
        ("runs show latest", "There are no runs yet"),
        ("runs stop nothing", "no run 'nothing'"),
        ("runs log nothing", "no run 'nothing'"),
        ("evaluate latest", "No reward model is trained yet"),
        ("score latest --prompt Why? --response Because", "No reward model is trained yet"),
    ],
)
def test_what_the_user_can_put_right_is_one_line_on_stderr(command: Command, words: str, what: str) -> None:
    assert_told_in_one_line(command(*words.split()), what)


def test_a_port_that_is_no_number_is_one_line_too(command: Command) -> None:
    assert_told_in_one_line(command("datasets", GRADIO_SERVER_PORT="seven"), "GRADIO_SERVER_PORT")


def test_a_value_of_the_wrong_kind_is_a_usage_error(command: Command) -> None:
    answer = command("train", "sample", "--epochs", "many")
    assert answer.returncode == 2
    assert "--epochs" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_what_is_not_a_number_is_null_in_json() -> None:
    assert json.dumps(as_json_value({"a": [float("nan"), 1.5], "b": (1, None)})) == '{"a": [null, 1.5], "b": [1, null]}'
