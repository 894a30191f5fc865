"""What a handler tells its visitor: errors as toasts, and whether they may write."""

import functools
import html
import logging
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ..errors import AppError, BadInput, Forbidden
from ..settings import Settings

log = logging.getLogger("rlhf_app")

HIDDEN: dict[str, Any] = {"api_visibility": "private"}
"""For every event of the page: it has a name, and is no part of the public API."""

IN_TURN: dict[str, Any] = {"concurrency_id": "in turn", "concurrency_limit": 1}
"""For events that draw the same thing: the later one ends later, so that it is the later one that stays."""

QUIET: dict[str, Any] = {**HIDDEN, "show_progress": "hidden", "queue": False}
"""The same for an event that answers at once."""


def shows_errors(handler: Callable) -> Callable:
    """Turn an AppError into a toast, and anything else into a short one with its traceback in the log."""

    @functools.wraps(handler)
    def shown(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except AppError as error:
            raise gr.Error(
                html.escape(str(error), quote=False), title="That did not work", print_exception=False
            ) from error
        except gr.Error:
            raise
        except Exception as error:
            log.exception("A handler failed")
            raise gr.Error("Something broke. The app's log has the details.", print_exception=False) from error

    return shown


def done(message: str) -> None:
    """Tell that something worked."""
    gr.Info(html.escape(message), title="Done", duration=4)


LONGEST, MOST = 1_000_000, 64
"""Characters of a prompt with its responses, the prompt counted for each, and how many responses are scored at once."""


def check_size(prompt: str, responses: Sequence[str]) -> None:
    """Raise BadInput if this is more text than one visitor may have scored at once."""
    if len(responses) > MOST:
        raise BadInput(f"{len(responses):,} responses are too many at once; up to {MOST} can be scored here.")
    if (size := len(responses) * len(prompt) + sum(map(len, responses))) > LONGEST:
        raise BadInput(
            f"These texts have {size:,} characters; up to {LONGEST:,} can be scored here. Use `score --file`."
        )


def may_write(settings: Settings, profile: gr.OAuthProfile | None) -> None:
    """Raise Forbidden if this visitor may only look and score: on a Space, everybody but its editors."""
    if settings.on_space and (profile is None or profile.username not in settings.editors):
        raise Forbidden(
            "On this public Space visitors look and score. Sign in as one of its editors, or duplicate the Space, "
            "to import, judge and train."
        )
