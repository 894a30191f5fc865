"""The README tells the truth: its commands, settings, endpoints and pictures are those of the app."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import typer.main

from rlhf_app.cli import cli
from rlhf_app.data.formats import LAYOUTS
from rlhf_app.training.config import TrainingConfig, configured

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m rlhf_app (.+)$", README, re.M)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_readme_is_understood(line: str) -> None:
    command, words = typer.main.get_command(cli), shlex.split(line)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    command.make_context("rlhf_app", words)


def test_each_command_stands_in_the_readme() -> None:
    names = set(typer.main.get_command(cli).commands)  # type: ignore[attr-defined]
    assert names == {line.split()[0] for line in COMMANDS}


def test_each_setting_stands_in_the_readme_with_its_default_and_help() -> None:
    quick = configured("quick")
    for each in fields(TrainingConfig):
        if each.name != "dataset":
            default = getattr(quick, each.name) or ("none" if isinstance(each.default, tuple) else 0)
            assert f"| `--{each.name.replace('_', '-')}` | {default} | {each.metadata['help']} |" in README


def test_each_layout_and_variable_stands_in_the_readme() -> None:
    for layout in LAYOUTS:
        assert f"| {layout.name} |" in README
    read = re.findall(r'environment\.get\("([A-Z_]+)"', (ROOT / "rlhf_app" / "settings.py").read_text())
    for name in set(read) - {"SPACE_ID", "SPACE_AUTHOR_NAME", "OAUTH_CLIENT_ID"}:
        assert f"`{name}`" in README


def test_each_endpoint_stands_in_the_readme() -> None:
    source = (ROOT / "rlhf_app" / "ui" / "api.py").read_text()
    for name in re.findall(r"^    def (\w+)\(", source, re.M):
        assert f"`/{name.replace('list_', '')}`" in README


def test_each_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert len(pictures) >= 3
    assert all((ROOT / picture).exists() for picture in pictures)


def test_the_space_runs_on_the_pinned_gradio() -> None:
    pinned = re.search(r"gradio\[oauth\]==([\d.]+)", (ROOT / "requirements.txt").read_text())
    assert pinned and f"sdk_version: {pinned[1]}" in README
