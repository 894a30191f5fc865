"""The command line: every job of the app without a browser.

With `--json` a command prints one JSON object on the last line of stdout. Progress and errors go to stderr; an error
that the user can act on ends with exit code 2.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .annotation import annotations, queue
from .data import comparisons, importing
from .data.hub_rows import OFFERED, HubSource, is_hub_id
from .errors import AppError, BadInput
from .records import prompt_text
from .sample import ensure_sample
from .settings import Settings, read_settings
from .store import Store
from .training import runs
from .training.config import configured

cli = typer.Typer(
    help="From two answers to the same prompt to a reward model: import, annotate, train, evaluate, score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
runs_cli = typer.Typer(help="List, watch and stop training runs.", invoke_without_command=True, rich_markup_mode=None)
cli.add_typer(runs_cli, name="runs")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line of stdout.")]
DatasetName = Annotated[str, typer.Argument(help="A dataset's name; `datasets` lists them.")]
RunName = Annotated[str, typer.Argument(help="A run's id, or `latest` for the newest with a model.")]


def main() -> None:
    """Run the command line; errors that a user can act on become one line and exit code 2."""
    try:
        cli()
    except AppError as error:
        say(f"Error: {error}")
        sys.exit(2)


def settings() -> Settings:
    return read_settings(os.environ)


def store() -> Store:
    """Return the store, with the sample in it."""
    opened = Store(settings().home)
    ensure_sample(opened)
    return opened


def say(text: str) -> None:
    """Tell a person how it goes; stdout is for results."""
    print(text, file=sys.stderr, flush=True)


def show(value: Any, as_json: bool, lines: Callable[[], list[str]]) -> None:
    """Print a result: as JSON on one line, or as lines for a person."""
    print(json.dumps(plain(value), ensure_ascii=False)) if as_json else print("\n".join(lines()))


def plain(value: Any) -> Any:
    """Return a value as JSON has it; NaN, which JSON has not, becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and value != value else value


def run_id(opened: Store, name: str) -> str:
    return runs.newest_model(opened).id if name == "latest" else name


@cli.command(
    "import", epilog="Examples:  import pairs.jsonl.gz --name mine   |   import argilla/… --split train --name dolly"
)
def import_(
    source: Annotated[
        str, typer.Argument(help=f"A file (jsonl, json, csv, tsv, parquet, also .gz) or a Hub id like {OFFERED}.")
    ],
    name: Annotated[str | None, typer.Option(help="The dataset's name; made from the file's if not given.")] = None,
    config: Annotated[str | None, typer.Option(help="A Hub dataset's configuration.")] = None,
    split: Annotated[str, typer.Option(help="A Hub dataset's split.")] = "train",
    columns: Annotated[
        list[str] | None, typer.Option(help="Which column is which: --columns question=prompt, repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Read and report, store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring comparisons in from a file or the Hub, and report every row kept or skipped."""
    opened = store()
    hub = not Path(source).exists() and is_hub_id(source)
    what = HubSource(source, config, split) if hub else Path(source)
    staged = importing.stage(opened, what, mapping(columns or []), lambda rows: say(f"{rows:,} rows read"))
    result: dict[str, Any] = {"layout": staged.layout, **asdict(staged.report)}
    if dry_run:
        importing.discard(staged)
    else:
        result["dataset"] = importing.keep(opened, staged, name or staged.suggested_name).name
    show(result, as_json, lambda: report_lines(result))


def mapping(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if wrong := next((each for each in pairs if not each[0] or not each[2]), None):
        raise BadInput(f"--columns {''.join(wrong)} is not of the form COLUMN=MEANING, like question=prompt.")
    return {column: meaning for column, _, meaning in pairs}


def report_lines(result: dict[str, Any]) -> list[str]:
    lines = [f"Layout: {result['layout']}"]
    lines += [f"{result['rows']:,} rows read, {result['comparisons']:,} comparisons, {result['votes']:,} judgements"]
    lines += [f"  skipped {count:,}: {why} (first: {where})" for why, (count, where) in result["skipped"].items()]
    lines += [f"  {count:,}: {what} (first: {where})" for what, (count, where) in result["remarks"].items()]
    return [*lines, f"Stored as '{result['dataset']}'." if "dataset" in result else "Nothing stored (dry run)."]


@cli.command(epilog="Example:  datasets --json")
def datasets(as_json: AsJson = False) -> None:
    """List the datasets and how much of each is judged."""
    opened = store()
    rows = []
    for dataset in comparisons.datasets(opened):
        judged = comparisons.count(opened, dataset.name, comparisons.Query(judgement=comparisons.JUDGED))
        rows.append({**asdict(dataset), "judged": judged})
    show(
        {"datasets": rows},
        as_json,
        lambda: [
            f"{r['name']:24} {r['comparisons']:>9,} comparisons {r['judged']:>9,} judged   {r['layout']}" for r in rows
        ],
    )


@cli.command(
    epilog="Examples:  annotate sample --annotator ada   |   annotate sample --annotator ada --id sample-001 --choice a"
)
def annotate(
    dataset: DatasetName,
    annotator: Annotated[str, typer.Option(help="Who judges.")] = os.environ.get("USER", "me"),
    comparison: Annotated[str | None, typer.Option("--id", help="Judge this comparison and end.")] = None,
    choice: Annotated[str | None, typer.Option(help="With --id: a, b, tie or skip, of the sides as stored.")] = None,
    note: Annotated[str, typer.Option(help="With --id: a note to keep.")] = "",
    as_json: AsJson = False,
) -> None:
    """Judge comparisons one after another at the keyboard, or one by its id."""
    opened = store()
    if comparison or choice:
        if not comparison or not choice:
            raise BadInput("--id and --choice go together.")
        annotations.annotate(opened, dataset, comparison, annotator, choice, note)  # type: ignore[arg-type]
    else:
        judge_in_turn(opened, dataset, annotations.annotator_name(annotator))
    done = annotations.done(opened, dataset, annotator)
    show(asdict(done), as_json, lambda: [f"{annotator} has judged {done.mine} of {done.total}."])


def judge_in_turn(opened: Store, dataset: str, annotator: str) -> None:
    """Show one comparison after another on stderr and take a key for each, until q or the end."""
    keys = {"a": "a", "b": "b", "t": "tie", "s": "skip"}
    while listed := queue.next_comparison(opened, dataset, annotator):
        left, right = queue.as_shown(listed.comparison, annotator)
        say(f"\n{'═' * 72}\n{prompt_text(listed.comparison.prompt)}\n\n── A ──\n{left}\n\n── B ──\n{right}\n")
        say("a, b, t(ie), s(kip), u(ndo), q(uit)?")
        key = sys.stdin.readline().strip().lower()[:1]
        if key == "u":
            try:
                say(f"Taken back: {annotations.undo(opened, dataset, annotator).comparison_id}")
            except BadInput as error:
                say(str(error))
        elif key in keys:
            identity = listed.comparison.id
            choice = queue.as_stored(keys[key], annotator, identity)  # type: ignore[arg-type]
            annotations.annotate(opened, dataset, identity, annotator, choice)
        elif key in ("q", ""):
            return
    say("All judged.")


@cli.command(
    epilog="Examples:  train sample --preset quick   |   train mine --base distilbert/distilroberta-base --detach --json"
)
def train(
    dataset: DatasetName,
    preset: Annotated[str, typer.Option(help="quick, balanced or full.")] = "quick",
    base: Annotated[str | None, typer.Option(help="The base model: a name, a Hub id or a folder.")] = None,
    epochs: Annotated[float | None, typer.Option(help="How many times every pair is seen.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest step size.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pairs a step.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens read of prompt and response together.")] = None,
    frozen_layers: Annotated[int | None, typer.Option(help="Lower layers left as they are; -1 leaves nothing.")] = None,
    split_by: Annotated[str | None, typer.Option(help="auto, prompt or topic.")] = None,
    held_out: Annotated[float | None, typer.Option(help="Share of the pairs kept for the final evaluation.")] = None,
    held_out_topic: Annotated[list[str] | None, typer.Option(help="A topic to hold out, repeatable.")] = None,
    center_rewards_coefficient: Annotated[
        float | None, typer.Option(help="Pulls rewards towards zero; 0 does not.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same run.")] = None,
    detach: Annotated[bool, typer.Option(help="Return at once; the run goes on by itself.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a reward model on a dataset's judged comparisons."""
    opened = store()
    config = configured(
        preset, dataset=dataset, base=base, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size,
        max_length=max_length, frozen_layers=frozen_layers, split_by=split_by, held_out=held_out, center_rewards_coefficient=center_rewards_coefficient, seed=seed,
        held_out_topics=tuple(held_out_topic) if held_out_topic else None,
    )  # fmt: skip
    run = runs.start(opened, config)
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
    rows = [brief(run) for run in runs.every(store())]
    show(
        {"runs": rows},
        as_json,
        lambda: [f"{r['run']:44} {r['state']:12} {r['dataset']}" for r in rows] or ["No runs yet."],
    )


def brief(run: runs.Run) -> dict[str, Any]:
    return {"run": run.id, "state": run.state, "dataset": run.config.dataset, "base": run.config.base,
            "preset": run.config.preset, "model": run.has_model}  # fmt: skip


@runs_cli.command("show", epilog="Example:  runs show 20260101-120000-sample-quick --json")
def show_run(run: RunName, as_json: AsJson = False) -> None:
    """Show a run's state, process and progress."""
    opened = store()
    found = runs.get(opened, run_id(opened, run))
    progress = runs.progress(opened, found.id)
    newest = {name: points[-1][1] for name, points in progress.curves.items()}
    result = {
        **brief(found), "pid": found.pid, "message": found.message, "stage": progress.stage, "step": progress.step,
        "total_steps": progress.total_steps, "progress": progress.share, "seconds": progress.seconds,
        "seconds_left": progress.seconds_left, "metrics": newest, "counts": runs.facts(opened, found.id),
        "config": asdict(found.config), "model_folder": str(opened.run(found.id) / "model") if found.has_model else None,
    }  # fmt: skip
    show(result, as_json, lambda: [f"{key}: {value}" for key, value in result.items()])


@runs_cli.command("stop", epilog="Example:  runs stop 20260101-120000-sample-quick")
def stop_run(run: RunName, as_json: AsJson = False) -> None:
    """Stop a run; it keeps the model it has so far."""
    opened = store()
    runs.stop(opened, run)
    ended = runs.wait(opened, run, 120)
    show({"run": run, "state": ended.state}, as_json, lambda: [f"{run} is {ended.state}."])


@runs_cli.command("log", epilog="Example:  runs log latest --lines 20")
def log_run(
    run: RunName, lines: Annotated[int, typer.Option(help="How many of the last lines.")] = 200, as_json: AsJson = False
) -> None:
    """Print the last lines of a run's log."""
    opened = store()
    text = runs.log(opened, run_id(opened, run), lines)
    show({"run": run, "log": text}, as_json, lambda: [text])


@cli.command(epilog="Examples:  evaluate latest   |   evaluate RUN --on other --json")
def evaluate(
    run: RunName,
    on: Annotated[str | None, typer.Option(help="Another dataset, instead of the held-out pairs.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell how often a model agrees with people, with its interval, beside trivial judges."""
    from .evaluation.report import evaluate_on, evaluation_of

    opened = store()
    identity = run_id(opened, run)
    found = evaluate_on(opened, identity, on) if on else evaluation_of(opened, identity)
    accuracy = found.eval_accuracy
    result = {
        "run": identity, **plain(found), "eval_accuracy": accuracy.value, "interval": [accuracy.low, accuracy.high],
        "interval_method": accuracy.method,
        "baselines": {"longer_wins": found.longer_wins.value, "first_side_wins": found.first_side_wins.value},
    }  # fmt: skip
    for name in ("margins", "longer_wins", "first_side_wins"):
        result.pop(name)
    show(result, as_json, lambda: [
        f"{identity} on {found.on}: {found.pairs} pairs, {found.ties} ties beside them",
        f"  agrees with people   {accuracy.value:6.1%}   (95 % interval {accuracy.low:.1%} to {accuracy.high:.1%}, {accuracy.method})",
        f"  longer wins          {found.longer_wins.value:6.1%}",
        f"  first side wins      {found.first_side_wins.value:6.1%}",
    ])  # fmt: skip


@cli.command(
    epilog='Examples:  score latest --prompt "What is depreciation?" --response "…" --response "…"   |   score RUN --file pairs.jsonl'
)
def score(
    run: RunName,
    prompt: Annotated[str | None, typer.Option(help="What the responses answer.")] = None,
    response: Annotated[list[str] | None, typer.Option(help="A response, repeatable.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="JSONL lines {prompt, responses: [...]}, or any layout that `import` reads.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="With --file: write the scores there instead of stdout.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give responses their rewards; for two, also the probability that the first is preferred."""
    from .reward.files import score_file
    from .reward.reward_model import load, probability_of_first

    opened = store()
    folder = runs.model_folder(opened, run_id(opened, run))
    if file:
        count = score_file(load(folder), file, output or sys.stdout, say)
        show({"run": run, "rows": count, "output": str(output or "-")}, as_json, lambda: [])
        return
    if not prompt or not response:
        raise BadInput("Give --prompt and at least one --response, or --file.")
    scores = load(folder).score([(prompt, each) for each in response])
    result: dict[str, Any] = {
        "run": run_id(opened, run),
        "scores": [{"response": s.response, "reward": s.reward, "tokens": s.tokens, "truncated": s.truncated} for s in scores],
        "win_probability": probability_of_first([s.reward for s in scores]),
    }  # fmt: skip
    show(result, as_json, lambda: [f"{s.reward:+9.4f}  {s.response[:100]}" for s in scores] + [
        f"The first is preferred with probability {result['win_probability']:.1%}." if len(scores) > 1 else ""
    ])  # fmt: skip


@cli.command(epilog="Examples:  serve   |   serve --demo --port 7861")
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    demo: Annotated[bool, typer.Option(help="Train on the sample in the background if there is no model yet.")] = False,
) -> None:
    """Start the app in the browser."""
    from dataclasses import replace

    from .launch import launch

    wanted = settings()
    launch(replace(wanted, host=host or wanted.host, port=port or wanted.port, demo=demo or wanted.demo))
