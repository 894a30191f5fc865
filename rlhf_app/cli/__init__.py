"""The command line: every job of the app without a browser.

With `--json` a command prints one JSON object on the last line of stdout. Progress and errors go to stderr; an error
that the user can act on ends with exit code 2.
"""

import sys

import typer

from ..errors import AppError
from . import data, scoring, serving, training
from .output import say

cli = typer.Typer(
    help="From two answers to the same prompt to a reward model: import, annotate, train, evaluate, score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (data, training, scoring, serving):
    cli.add_typer(module.cli)


def main() -> None:
    """Run the command line; errors that a user can act on become one line and exit code 2."""
    try:
        cli()
    except AppError as error:
        say(f"Error: {error}")
        sys.exit(2)
