"""The Argilla tab: connect to a team's annotation server. The key stays in this event; it is never stored."""

import html

import gradio as gr

from ..annotation.argilla_sync import Connection, status
from ..settings import Settings
from .feedback import HIDDEN, may_write, shows_errors
from .render import empty

NOT_CONNECTED = empty("Not connected", "Write the address of your Argilla server and your API key, then press Connect.")


def connection_html(connection: Connection) -> str:
    rows = [("Server", connection.url), ("Version", connection.version), ("User", f"{connection.user} ({connection.role})"),
            ("Workspaces", ", ".join(connection.workspaces) or "none")]  # fmt: skip
    cells = "".join(f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in rows)
    return f'<section class="card"><p class="verdict">Connected</p><dl class="plan">{cells}</dl></section>'


def build(settings: Settings) -> None:
    # Layout
    gr.Markdown(
        "Many annotators at once work in [Argilla](https://docs.argilla.io). Connect to your server to see who you are there. "
        "Sending comparisons and bringing judgements back comes with the next version; until then an export of Argilla "
        "(1.x or 2.x) can be imported in the Data tab."
    )
    with gr.Row(elem_classes="filters"):
        url = gr.Textbox(label="Address", placeholder="https://argilla.example.org", elem_id="argilla-url", scale=2)
        kept = settings.argilla_api_key != ""
        hint = (
            "empty: the key from the environment" if kept and not settings.on_space else "from 'My settings' in Argilla"
        )
        key = gr.Textbox(label="API key", type="password", placeholder=hint, elem_id="argilla-key", scale=2)
    with gr.Row(elem_classes="actions"):
        connect = gr.Button("Connect", variant="primary", scale=0, min_width=140)
    shown = gr.HTML(NOT_CONNECTED, elem_id="argilla-status")

    # Handlers
    @shows_errors
    def look(url: str, key: str, profile: gr.OAuthProfile | None) -> str:
        may_write(settings, profile)
        if not url.strip() and not key.strip():
            return connection_html(status(settings.argilla_api_url, settings.argilla_api_key))
        return connection_html(status(url, key))

    # Wiring
    gr.on([connect.click, key.submit], look, [url, key], shown, api_name="argilla_status", **HIDDEN)
