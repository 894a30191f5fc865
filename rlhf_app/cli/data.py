"""Commands on comparisons: import, datasets, annotate."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..annotation import annotations, queue
from ..data import comparisons, importing
from ..data.hub_rows import OFFERED, HubSource, is_hub_id
from ..errors import BadInput
from ..records import prompt_text
from ..store import Store
from .output import AsJson, DatasetName, say, show, store

cli = typer.Typer()


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
    if name:
        importing.check_free(opened, name)
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
    annotator: Annotated[str, typer.Option(help="Who judges.", envvar="USER")] = "me",
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
    done = annotations.done(opened, dataset, annotations.annotator_name(annotator))
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
