"""Untrusted text as HTML that is safe to show: HTML inside it is shown as text, pictures are named, not fetched."""

import html
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from ..records import Prompt

RENDERED, PLAIN = "Rendered", "Plain text"
SHOWN = 20_000
"""Characters of a text that are shown; a browser chokes on megabytes."""

FORMATTER = HtmlFormatter(nowrap=True, classprefix="pg-")


def coloured(code: str, language: str, _: str) -> str:
    try:
        return highlight(code, get_lexer_by_name(language or "text", stripall=False), FORMATTER)
    except ClassNotFound:
        return ""


def picture(self: Any, tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    return f'<span class="picture">[{escapeHtml(token.content or "picture")}: {escapeHtml(str(token.attrGet("src")))}]</span>'


def link(self: Any, tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return self.renderToken(tokens, index, options, env)


MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True, "highlight": coloured})
MARKDOWN.enable(["table", "strikethrough"])
MARKDOWN.add_render_rule("image", picture)
MARKDOWN.add_render_rule("link_open", link)


def text_html(text: str, mode: str = RENDERED) -> str:
    """Return a text as a block of safe HTML, as Markdown or as it is."""
    shown = text[:SHOWN]
    body = f"<pre>{html.escape(shown)}</pre>" if mode == PLAIN else MARKDOWN.render(shown)
    rest = f'<p class="cut">Shown: the first {SHOWN:,} of {len(text):,} characters.</p>' if len(text) > SHOWN else ""
    return f'<div class="text" dir="auto">{body}{rest}</div>'


def prompt_html(prompt: Prompt, mode: str = RENDERED) -> str:
    """Return a prompt: a text, or its turns each under its role."""
    if isinstance(prompt, str):
        return text_html(prompt, mode)
    return "".join(
        f'<div class="turn"><b>{html.escape(turn["role"])}</b>{text_html(turn["content"], mode)}</div>'
        for turn in prompt
    )


def side_by_side(
    prompt: Prompt, responses: Sequence[tuple[str, str, str]], mode: str = RENDERED, facts: Sequence[str] = ()
) -> str:
    """Return a prompt above its responses; each response is (css class, title, text). The facts stand below."""
    cells = "".join(
        f'<article class="response {css}"><h4>{html.escape(title)}</h4>{text_html(text, mode)}</article>'
        for css, title, text in responses
    )
    below = "".join(f"<span>{html.escape(fact)}</span>" for fact in facts)
    return (
        f'<section class="comparison"><article class="prompt"><h4>Prompt</h4>{prompt_html(prompt, mode)}</article>'
        f'<div class="responses">{cells}</div>{f"<footer>{below}</footer>" if below else ""}</section>'
    )


def empty(title: str, next_step: str) -> str:
    """Return what stands where nothing is yet: what is missing and the next step."""
    return f'<div class="empty"><b>{html.escape(title)}</b>{html.escape(next_step)}</div>'


def duration(seconds: float | None) -> str:
    """Return a time as people say it."""
    if seconds is None:
        return "unknown"
    if seconds < 90:
        return f"{max(1, round(seconds)):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
