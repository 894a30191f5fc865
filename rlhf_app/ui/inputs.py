"""Inputs that Gradio does not have as we need them."""

from typing import Any

import gradio as gr


class Choices(gr.Dropdown):
    """A dropdown whose choices change while the app runs.

    Gradio refuses a value that its session does not know as a choice, and after a restart of the app it knows none, though
    the page still shows them. Here the handler decides: it looks the name up on disk.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return payload or None
