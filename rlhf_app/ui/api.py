"""The public API: each job as a typed endpoint, for programs and for `gradio_client`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gradio as gr

from ..annotation.annotations import annotate as annotate_comparison
from ..data import comparisons
from ..evaluation.report import evaluation_of
from ..records import as_json_value
from ..reward.reward_model import RewardModel, probability_of_first
from ..settings import Settings
from ..store import Store
from ..training import runs
from ..training.config import configured
from .feedback import check_size, may_write, shows_errors


def build(store: Store, settings: Settings, load: Callable[[str], RewardModel]) -> None:
    """Declare the endpoints. Errors come as the same sentences that the page shows."""

    @shows_errors
    def datasets() -> list[dict]:
        """List the datasets."""
        return [asdict(dataset) for dataset in comparisons.datasets(store)]

    @shows_errors
    def list_runs() -> list[dict]:
        """List the training runs, newest first."""
        return [runs.brief(run) for run in runs.every(store)]

    @shows_errors
    def run(run: str) -> dict:
        """Tell a run's state and progress."""
        found, progress = runs.get(store, run), runs.progress(store, run)
        newest = {name: points[-1][1] for name, points in progress.curves.items()}
        now = {"message": found.message, "step": progress.step, "total_steps": progress.total_steps}
        return as_json_value({**runs.brief(found), **now, "seconds_left": progress.seconds_left, "metrics": newest})

    @shows_errors
    def evaluation(run: str) -> dict:
        """Tell how a run's model does on its held-out pairs, with intervals and baselines."""
        return as_json_value(evaluation_of(store, run, load(run)))

    @shows_errors
    def score(prompt: str, responses: list[str], run: str = "latest") -> dict:
        """Give each response its reward by a run's model; of several, also the first one's chance to be preferred."""
        check_size(prompt, responses)
        identity = runs.newest_model(store).id if run == "latest" else run
        scores = load(identity).score([(prompt, each) for each in responses])
        chances = probability_of_first([each.reward for each in scores])
        rows: list[dict[str, Any]] = [
            {"response": s.response, "reward": s.reward, "truncated": s.truncated} for s in scores
        ]
        return {"run": identity, "scores": rows, "win_probability": chances}

    @shows_errors
    def annotate(dataset: str, comparison: str, annotator: str, choice: str, profile: gr.OAuthProfile | None) -> dict:
        """Judge a comparison: choice is a, b, tie or skip, of the sides as stored."""
        may_write(settings, profile)
        return asdict(annotate_comparison(store, dataset, comparison, annotator, choice))  # type: ignore[arg-type]

    @shows_errors
    def train(dataset: str, preset: str, profile: gr.OAuthProfile | None) -> dict:
        """Start a training run and return its id at once."""
        may_write(settings, profile)
        return {"run": runs.start(store, configured(preset, dataset=dataset)).id}

    @shows_errors
    def stop(run: str, profile: gr.OAuthProfile | None) -> dict:
        """Stop a run; it keeps the model it has so far."""
        may_write(settings, profile)
        return {"run": runs.stop(store, run).id}

    for name, endpoint in {"datasets": datasets, "runs": list_runs, "run": run,
                           "annotate": annotate, "train": train, "stop": stop}.items():  # fmt: skip
        gr.api(endpoint, api_name=name)
    for name, endpoint in {"score": score, "evaluation": evaluation}.items():
        gr.api(endpoint, api_name=name, concurrency_id="model", concurrency_limit=1)
