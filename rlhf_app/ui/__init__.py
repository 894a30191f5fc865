"""The app in the browser: its tabs put together."""

import functools
from pathlib import Path

import gradio as gr

from ..data import comparisons
from ..reward import reward_model
from ..settings import Settings
from ..store import Store
from ..training import runs
from . import annotate_tab, api, argilla_tab, data_tab, evaluate_tab, score_tab, train_tab
from .feedback import HIDDEN, IN_TURN, QUIET
from .inputs import Choices

ASSETS = Path(__file__).parents[2] / "assets"
TITLE = "Preference Lab"
HEAD = (
    '<header class="top"><div class="logo" aria-hidden="true">⇄</div><div><h1>Preference Lab</h1>'
    "<p>From two answers to the same prompt to a reward model you can trust.</p></div></header>"
)
MODELS_IN_MEMORY = 2
DAY = 86_400
"""Seconds after which uploaded files are removed; what was kept of them is in the store."""


def build(store: Store, settings: Settings) -> gr.Blocks:
    """Return the app: every tab, every event, the public API."""

    @functools.lru_cache(maxsize=MODELS_IN_MEMORY)
    def load(run_id: str) -> reward_model.RewardModel:
        return reward_model.load(runs.model_folder(store, run_id))

    def dataset_choices(last: str | None) -> Choices:
        names = [each.name for each in comparisons.datasets(store)]
        return Choices(names, value=last if last in names else names[0] if names else None)

    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(DAY, DAY)) as demo:
        with gr.Row(elem_id="top"):
            gr.HTML(HEAD, elem_id="head")
            with gr.Column(scale=0, min_width=280) as choice:
                dataset = Choices([], label="Dataset", elem_id="dataset")
            if settings.oauth:
                gr.LoginButton(size="sm", scale=0)
        # Outside of the tabs: what stands in a tab reads the browser's storage only when that tab is first opened.
        remembered, last_dataset = (
            gr.BrowserState("", storage_key=key, secret="not a secret: a name")  # noqa: S106
            for key in ("annotator", "dataset")
        )
        with gr.Tabs(selected="score" if settings.demo else "data", elem_id="tabs", overflow_behavior="wrap"):
            with gr.Tab("Data", id="data") as data:
                data_tab.build(store, settings, dataset, last_dataset)
            with gr.Tab("Annotate", id="annotate") as annotate:
                guidelines = (ASSETS / "guidelines.md").read_text(encoding="utf-8")
                remember, show_next = annotate_tab.build(store, settings, dataset, remembered, guidelines)
            with gr.Tab("Argilla", id="argilla") as argilla:
                argilla_tab.build(settings)
            with gr.Tab("Train", id="train") as train:
                open_runs, show_plan, watching = train_tab.build(store, settings, dataset)
            with gr.Tab("Evaluate", id="evaluate") as evaluate:
                open_evaluation = evaluate_tab.build(store, settings)
            with gr.Tab("Score", id="score") as score:
                open_models = score_tab.build(store, settings, load)
        api.build(store, settings, load)

        demo.load(dataset_choices, last_dataset, dataset, api_name="load_datasets", **QUIET)
        dataset.input(lambda name: name, dataset, last_dataset, api_name="remember_dataset", **QUIET)
        demo.load(*remember, api_name="load_annotator", **QUIET)
        demo.load(*open_models, api_name="load_models", **QUIET)
        for tab in (data, annotate, argilla, train):
            tab.select(lambda: gr.Column(visible=True), None, choice, api_name="show_datasets", **QUIET)
        for tab in (evaluate, score):
            tab.select(lambda: gr.Column(visible=False), None, choice, api_name="hide_datasets", **QUIET)
        for tab in (data, annotate, argilla, evaluate, score):
            tab.select(lambda: gr.Timer(active=False), None, watching, api_name="look_away", **QUIET)
        annotate.select(*show_next, api_name="open_annotate", show_progress="hidden", **IN_TURN, **HIDDEN)
        train.select(*open_runs, api_name="open_train", **QUIET)
        train.select(*show_plan, api_name="open_plan", show_progress="minimal", **HIDDEN)
        evaluate.select(*open_evaluation, api_name="open_evaluate", **QUIET)
        score.select(*open_models, api_name="open_score", **QUIET)
    return demo
