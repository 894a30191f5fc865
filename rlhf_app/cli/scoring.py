"""Commands on reward models: evaluate, score."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import BadInput
from ..records import as_json_value
from ..training import runs
from .output import AsJson, RunName, run_id, say, show, store

cli = typer.Typer()


@cli.command(epilog="Examples:  evaluate latest   |   evaluate RUN --on other --json")
def evaluate(
    run: RunName,
    on: Annotated[str | None, typer.Option(help="Another dataset, instead of the held-out pairs.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell how often a model agrees with people, with its interval, beside trivial judges."""
    from ..evaluation.report import evaluate_on, evaluation_of

    opened = store()
    identity = run_id(opened, run)
    found = evaluate_on(opened, identity, on) if on else evaluation_of(opened, identity)
    accuracy = found.eval_accuracy
    result = {
        "run": identity, **as_json_value(found), "eval_accuracy": accuracy.value, "interval": [accuracy.low, accuracy.high],
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
    from ..reward.files import score_file
    from ..reward.reward_model import load, probability_of_first

    opened = store()
    identity = run_id(opened, run)
    folder = runs.model_folder(opened, identity)
    if file:
        count = score_file(load(folder), file, output or sys.stdout, say)
        show({"run": identity, "rows": count, "output": str(output or "-")}, as_json, list)
        return
    if not prompt or not response:
        raise BadInput("Give --prompt and at least one --response, or --file.")
    scores = load(folder).score([(prompt, each) for each in response])
    result: dict[str, Any] = {
        "run": identity,
        "scores": [{"response": s.response, "reward": s.reward, "tokens": s.tokens, "truncated": s.truncated} for s in scores],
        "win_probability": probability_of_first([s.reward for s in scores]),
    }  # fmt: skip
    show(result, as_json, lambda: [f"{s.reward:+9.4f}  {s.response[:100]}" for s in scores] + [
        f"The first is preferred with probability {result['win_probability']:.1%}." if len(scores) > 1 else ""
    ])  # fmt: skip
