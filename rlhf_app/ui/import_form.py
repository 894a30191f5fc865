"""The form that brings comparisons in: read a file or a Hub dataset, see what came of it, keep it or not."""

import html
from pathlib import Path
from typing import Any

import gradio as gr

from ..data import comparisons, importing
from ..data.hub_rows import OFFERED, HubSource
from ..errors import BadInput
from ..settings import Settings
from ..store import Store
from .feedback import HIDDEN, done, may_write, shows_errors
from .inputs import Choices

MEANINGS = ["prompt", "response_a", "response_b", "chosen", "rejected", "judgement", "category", "id", "annotator"]
REASONS = 12
"""How many different reasons are listed; a broken file can have thousands."""


def preview(staged: importing.Staged) -> str:
    """Return what an import would keep and skip, before anything is stored."""
    report = staged.report
    skipped = [f"{n:,} skipped: {why} (first: {where})" for why, (n, where) in report.skipped.items()]
    remarks = [f"{n:,}: {what} (first: {where})" for what, (n, where) in report.remarks.items()]
    lines = (skipped or ["No row was skipped."]) + remarks
    more = [f"and {len(lines) - REASONS:,} more reasons"] if len(lines) > REASONS else []
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines[:REASONS] + more)
    return (
        f'<section class="card"><p class="verdict">{report.comparisons:,} comparisons and {report.votes:,} judgements'
        f"<span>in {report.rows:,} rows of {html.escape(staged.source)}, read as: {html.escape(staged.layout)}</span></p>"
        f"<ul>{items}</ul><p>Nothing is stored yet.</p></section>"
    )


def build(store: Store, settings: Settings, dataset: Choices, last_dataset: gr.BrowserState) -> None:
    # Layout
    with gr.Accordion("Add comparisons", open=False, elem_id="add"):
        with gr.Row():
            with gr.Column(min_width=300):
                file = gr.File(
                    label="A file: JSONL, JSON, CSV, TSV or Parquet, also .gz", height=150, elem_id="import-file"
                )
            with gr.Column(min_width=300):
                hub_id = gr.Textbox(
                    label="Or a dataset on the Hugging Face Hub"
                    + (", or a file on this machine" if settings.local else ""),
                    value=OFFERED,
                    elem_id="hub-id",
                )
                with gr.Row():
                    hub_split = gr.Textbox(label="Split", value="train", min_width=100)
                    hub_config = gr.Textbox(label="Configuration", placeholder="none", min_width=100)
                read_hub = gr.Button("Read it", scale=0)
        with gr.Group(visible=False) as mapping_form:
            gr.Markdown(
                "The columns have names we do not know. Say what they mean, then read the file again.", padding=True
            )
            mapping = gr.Dataframe(
                headers=["Column of the file", "Meaning"], datatype="str", type="array", interactive=True,
                static_columns=[0], label=f"Meanings: {', '.join(MEANINGS)}; empty leaves it as it is",
            )  # fmt: skip
            read_again = gr.Button("Read with these meanings", scale=0)
        report = gr.HTML(visible=False, elem_id="import-report")
        with gr.Row(visible=False, elem_classes="actions") as decision:
            name = gr.Textbox(label="Name of the new dataset", scale=2)
            keep = gr.Button("Keep it", variant="primary", scale=0)
            drop = gr.Button("Do not keep it", scale=0)
    staged = gr.State(None)
    source = gr.State(None)

    # Handlers
    def read_source(
        source: Any, columns: dict[str, str], profile: gr.OAuthProfile | None, progress: gr.Progress
    ) -> tuple:
        may_write(settings, profile)
        if source is None:
            raise BadInput("Choose a file first.")
        try:
            staged = importing.stage(store, source, columns, lambda rows: progress(None, desc=f"{rows:,} rows read"))
        except importing.UnknownLayout as error:
            gr.Warning(html.escape(str(error), quote=False), duration=None)
            rows = [[column, column if column in MEANINGS else ""] for column in error.columns]
            return (source, None, gr.Group(visible=True), rows, gr.HTML(visible=False), gr.Row(visible=False), "")
        report = gr.HTML(preview(staged), visible=True)
        return source, staged, gr.Group(visible=False), [], report, gr.Row(visible=True), staged.suggested_name

    @shows_errors
    def read_file(file: str | None, profile: gr.OAuthProfile | None, progress: gr.Progress = gr.Progress()) -> tuple:  # noqa: B008
        return read_source(Path(file) if file else None, {}, profile, progress)

    @shows_errors
    def read_from_hub(
        identity: str, split: str, config: str, profile: gr.OAuthProfile | None, progress: gr.Progress = gr.Progress()  # noqa: B008
    ) -> tuple:  # fmt: skip
        if settings.local and Path(identity.strip()).is_file():
            return read_source(Path(identity.strip()), {}, profile, progress)
        progress(None, desc="Asking the Hub")
        wanted = HubSource(identity.strip(), config.strip() or None, split.strip() or "train")
        return read_source(wanted, {}, profile, progress)

    @shows_errors
    def read_mapped(
        source: Any, rows: list[list[str]], profile: gr.OAuthProfile | None, progress: gr.Progress = gr.Progress()  # noqa: B008
    ) -> tuple:  # fmt: skip
        columns = {row[0]: row[1].strip() for row in rows if row[1] and row[1].strip()}
        return read_source(source, columns, profile, progress)

    @shows_errors
    def keep_staged(staged: Any, name: str, profile: gr.OAuthProfile | None) -> tuple:
        may_write(settings, profile)
        if staged is None:
            raise BadInput("Read a file or a Hub dataset first.")
        kept = importing.keep(store, staged, name.strip())
        done(f"{kept.comparisons:,} comparisons are stored as '{kept.name}'.")
        names = [each.name for each in comparisons.datasets(store)]
        return (Choices(names, value=kept.name), kept.name, *forget())

    @shows_errors
    def drop_staged(staged: Any) -> tuple:
        if staged is not None:
            importing.discard(staged)
        return forget()

    def forget() -> tuple:
        return None, None, gr.HTML(visible=False), gr.Row(visible=False), gr.Group(visible=False)

    # Wiring
    came = [source, staged, mapping_form, mapping, report, decision, name]
    gone = [staged, file, report, decision, mapping_form]
    file.upload(read_file, file, came, api_name="read_file", **HIDDEN)
    read_hub.click(read_from_hub, [hub_id, hub_split, hub_config], came, api_name="read_hub", **HIDDEN)
    read_again.click(read_mapped, [source, mapping], came, api_name="read_mapped", **HIDDEN)
    keep.click(keep_staged, [staged, name], [dataset, last_dataset, *gone], api_name="keep", **HIDDEN)
    drop.click(drop_staged, staged, gone, api_name="drop", **HIDDEN)
