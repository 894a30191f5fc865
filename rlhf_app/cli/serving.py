"""The command that starts the app in the browser."""

import os
from dataclasses import replace
from typing import Annotated

import typer

from ..settings import read_settings

cli = typer.Typer()


@cli.command(epilog="Examples:  serve   |   serve --demo --port 7861")
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    demo: Annotated[bool, typer.Option(help="Train on the sample in the background if there is no model yet.")] = False,
) -> None:
    """Start the app in the browser."""
    from ..launch import launch

    wanted = read_settings(os.environ)
    launch(replace(wanted, host=host or wanted.host, port=port or wanted.port, demo=demo or wanted.demo))
