"""Commands on runs: train, and list, show, stop and log them."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Annotated, Any

import typer

from ..errors import BadInput, NotFound
from ..store import Store
from ..training import runs
from ..training.config import TrainingConfig, configured
from .output import AsJson, DatasetName, say, show, store
from .scoring import evaluate

cli = typer.Typer()


AnyRun = Annotated[str, typer.Argument(help="A run's id, or `latest` for the newest.")]

runs_cli = typer.Typer(help="List, watch and stop training runs.", invoke_without_command=True, rich_markup_mode=None)
cli.add_typer(runs_cli, name="runs")


def with_settings(command: Callable) -> Callable:
    """Give a command a flag for each setting of TrainingConfig, made from its declaration; None means not given."""

    @functools.wraps(command)
    def called(**given: Any) -> Any:
        return command(**given)

    signature = inspect.signature(command)
    own = [
        parameter for parameter in signature.parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    flags = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=flag(each.default, each.metadata["help"]),
        )
        for each in fields(TrainingConfig)
        if each.name not in signature.parameters
    ]
    called.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
    return called


def flag(default: Any, help: str) -> Any:
    kind = list[str] if isinstance(default, tuple) else type(default)
    repeatable = "; repeatable" if isinstance(default, tuple) else ""
    return Annotated[kind | None, typer.Option(help=help[0].upper() + help[1:] + repeatable + ".")]


@cli.command(
    epilog="Examples:  train sample --preset quick   |   train mine --base distilbert/distilroberta-base --detach --json"
)
@with_settings
def train(
    dataset: DatasetName,
    preset: Annotated[str, typer.Option(help="quick, balanced or full.")] = "quick",
    detach: Annotated[bool, typer.Option(help="Return at once; the run goes on by itself.")] = False,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Train a reward model on a dataset's judged comparisons."""
    opened = store()
    run = runs.start(opened, configured(preset, dataset=dataset, **settings))
    if detach:
        show(
            {"run": run.id},
            as_json,
            lambda: [f"Run {run.id} goes on by itself. `runs show {run.id}` tells how far it is."],
        )
        return
    say(f"Run {run.id}. Ctrl+C stops it and keeps the model so far.")
    run = followed(opened, run.id)
    if run.state == "failed":
        raise BadInput(run.message)
    if not run.has_model:
        raise BadInput(f"Run '{run.id}' ended without a model: it is {run.state}. `runs log {run.id}` has the details.")
    evaluate(run.id, None, as_json)


def followed(opened: Store, identity: str) -> runs.Run:
    """Tell on stderr how a run goes until it has ended; Ctrl+C stops it."""
    told = -1
    while True:
        try:
            run = runs.wait(opened, identity, 2)
            progress = runs.progress(opened, identity)
            if progress.step != told:
                told = progress.step
                left = f", about {progress.seconds_left:.0f} s left" if progress.seconds_left else ""
                say(f"{progress.stage}: step {progress.step} of {progress.total_steps}{left}")
            if not run.alive:
                return run
        except KeyboardInterrupt:
            say("Stopping after this step …")
            runs.stop(opened, identity)


@runs_cli.callback(epilog="Examples:  runs   |   runs show latest --json   |   runs stop RUN")
def list_runs(context: typer.Context, as_json: AsJson = False) -> None:
    """List training runs, newest first; or `show`, `stop` and `log` one."""
    if context.invoked_subcommand:
        return
    rows = [runs.brief(run) for run in runs.every(store())]
    show(
        {"runs": rows},
        as_json,
        lambda: [f"{r['run']:44} {r['state']:12} {r['dataset']}" for r in rows] or ["No runs yet."],
    )


def newest(opened: Store, name: str) -> str:
    """Return the run that a command names; here `latest` is the newest of all, with a model or without."""
    if name != "latest":
        return name
    if not (every := runs.every(opened)):
        raise NotFound("There are no runs yet. Start one: `train sample --preset quick`.")
    return every[0].id


@runs_cli.command("show", epilog="Example:  runs show 20260101-120000-sample-quick --json")
def show_run(run: AnyRun, as_json: AsJson = False) -> None:
    """Show a run's state, process and progress."""
    opened = store()
    found = runs.get(opened, newest(opened, run))
    progress = runs.progress(opened, found.id)
    metrics = {name: points[-1][1] for name, points in progress.curves.items()}
    result = {
        **runs.brief(found), "pid": found.pid, "message": found.message, "stage": progress.stage, "step": progress.step,
        "total_steps": progress.total_steps, "progress": progress.share, "seconds": progress.seconds,
        "seconds_left": progress.seconds_left, "metrics": metrics, "counts": runs.facts(opened, found.id),
        "config": asdict(found.config), "model_folder": str(opened.run(found.id) / "model") if found.has_model else None,
    }  # fmt: skip
    show(result, as_json, lambda: [f"{key}: {value}" for key, value in result.items()])


@runs_cli.command("stop", epilog="Example:  runs stop 20260101-120000-sample-quick")
def stop_run(run: AnyRun, as_json: AsJson = False) -> None:
    """Stop a run; it keeps the model it has so far."""
    opened = store()
    identity = newest(opened, run)
    runs.stop(opened, identity)
    ended = runs.wait(opened, identity, 120)
    show({"run": identity, "state": ended.state}, as_json, lambda: [f"{identity} is {ended.state}."])


@runs_cli.command("log", epilog="Example:  runs log latest --lines 20")
def log_run(
    run: AnyRun, lines: Annotated[int, typer.Option(help="How many of the last lines.")] = 200, as_json: AsJson = False
) -> None:
    """Print the last lines of a run's log."""
    opened = store()
    identity = newest(opened, run)
    text = runs.log(opened, identity, lines)
    show({"run": identity, "log": text}, as_json, lambda: [text])
