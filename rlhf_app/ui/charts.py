"""Pictures of numbers, as small tables that Gradio's plots draw, and as bars in HTML."""

import html
import math
from collections.abc import Mapping, Sequence

import pandas as pd

from ..data.comparisons import Statistics
from ..evaluation.metrics import Share
from ..training.runs import Progress

POINTS = 300
"""Points of a curve that are sent; the eye sees no more."""

VERDICTS = {
    "a": "A better",
    "b": "B better",
    "tie": "Tie",
    "undecided": "Undecided",
    "skip": "Skipped",
    "unjudged": "Not judged",
}


def curve(progress: Progress | None, train: str, held_out: str) -> pd.DataFrame:
    """Return a metric's training and held-out curves: columns step, value, of."""
    rows: list[tuple[int, float | None, str]] = []
    for name, of in ((train, "training batches"), (held_out, "watched pairs")):
        points = progress.curves.get(name, []) if progress else []
        stride = max(1, len(points) // POINTS)
        smooth = of == "training batches"
        rows += [(step, value, of) for step, value in (smoothed(points) if smooth else points)[::stride]]
        if not points:
            rows.append((1, None, of))  # the plot's legend knows only the names it has seen at first
    return pd.DataFrame(rows, columns=["step", "value", "of"])


def smoothed(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return an exponential moving average: single batches jump too much to be read."""
    result, mean = [], 0.0
    for count, (step, value) in enumerate(points, 1):
        mean += (value - mean) * max(0.15, 1 / count)
        result.append((step, mean))
    return result


def bars(counts: Mapping[str, float], title: str, limit: int = 12) -> str:
    """Return named counts as horizontal bars; the smallest beyond the limit are summed up."""
    shown = dict(list(counts.items())[:limit])
    if rest := sum(list(counts.values())[limit:]):
        shown[f"{len(counts) - limit} more"] = rest
    total, most = sum(counts.values()) or 1, max(shown.values(), default=1) or 1
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td><i style="width:{100 * value / most:.1f}%"></i></td>'
        f"<td>{value:,.0f}</td><td>{value / total:.0%}</td></tr>"
        for name, value in shown.items()
    )
    return f'<figure class="bars"><figcaption>{html.escape(title)}</figcaption><table>{rows}</table></figure>'


def statistics_html(statistics: Statistics) -> str:
    """Return a dataset's pictures: what is judged, the categories, the lengths."""
    verdicts = {words: statistics.verdicts[key] for key, words in VERDICTS.items() if key in statistics.verdicts}
    parts = [bars(verdicts, "Judgements")]
    categories = {name or "(none)": count for name, count in statistics.categories.items()}
    if len(categories) > 1:
        parts.append(bars(categories, "Categories"))
    parts.append(histogram([length for pair in statistics.lengths for length in pair], "Characters in a response"))
    return f'<div class="pictures">{"".join(parts)}</div>'


def histogram(values: Sequence[float], title: str, bins: int = 24, signed: bool = False) -> str:
    """Return a histogram; the top 1 % of long tails is gathered in the last bar. Signed values are coloured by sign."""
    if not values:
        return ""
    ordered = sorted(values)
    low, high = (ordered[0], ordered[-1]) if signed else (0.0, ordered[int(0.99 * (len(ordered) - 1))])
    width = nice((high - low) / bins or 1)
    start = math.floor(low / width) * width
    count = max(1, math.ceil((high - start) / width + 1e-9))
    heights = [0] * count
    for value in values:
        heights[min(count - 1, max(0, int((value - start) // width)))] += 1
    most = max(heights)
    columns = "".join(
        f'<i class="{"minus" if signed and start + (i + 0.5) * width < 0 else "plus"}" style="height:{100 * h / most:.1f}%"'
        f' title="{start + i * width:g} to {start + (i + 1) * width:g}: {h:,}"></i>'
        for i, h in enumerate(heights)
    )
    ticks = "".join(f"<span>{start + share * count * width:,.4g}</span>" for share in (0, 0.5, 1))
    label = f"{title}: {len(values):,} values, median {ordered[len(ordered) // 2]:,.4g}"
    return (
        f'<figure class="histogram"><figcaption>{html.escape(title)}</figcaption>'
        f'<div role="img" aria-label="{html.escape(label)}">{columns}</div><p>{ticks}</p></figure>'
    )


def nice(width: float) -> float:
    """Return the next larger of 1, 2, 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(width))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= width * 0.999)


def share_rows(rows: Sequence[tuple[str, Share, str]]) -> str:
    """Return shares as bars from 0 to 100 % with their intervals; each row is (name, share, css class)."""
    cells = "".join(
        f'<tr class="{css}"><th scope="row">{html.escape(name)}</th><td><div class="whisker" role="img" aria-label="'
        f'{share.value:.1%}, 95 % interval {share.low:.1%} to {share.high:.1%}"><i style="width:{100 * share.value:.1f}%"></i>'
        f'<u style="left:{100 * share.low:.1f}%;width:{100 * (share.high - share.low):.1f}%"></u></div></td>'
        f"<td>{share.value:.1%}</td><td>{share.low:.0%} – {share.high:.0%}</td></tr>"
        for name, share, css in rows
    )
    return f'<table class="shares">{cells}</table>'
