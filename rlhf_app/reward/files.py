"""Score whole files: one line of rewards for each row."""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from ..data.cells import RowError, prompt_of
from ..data.files import Bad, Numbered, rows
from ..data.formats import recognise
from ..errors import BadInput
from ..records import Prompt, prompt_text
from .reward_model import RewardModel, probability_of_first

CHUNK = 256


def score_file(model: RewardModel, path: Path, output: Path | IO[str], say: Callable[[str], None]) -> int:
    """Write `{"row", "prompt", "scores", "win_probability"}` for each row of a file; return how many rows were scored.

    A row is `{prompt, responses: [...]}`, `{prompt, response}` or any layout of comparisons. A row that cannot be used is
    written with an `error` instead of scores, so that the lines stay in step. Raises NotFound and BadInput.
    """
    if isinstance(output, Path):
        temporary = output.with_name(f".{output.name}")
        with temporary.open("w", encoding="utf-8") as file:
            count = write_scores(model, path, file, say)
        temporary.replace(output)
        return count
    return write_scores(model, path, output, say)


def write_scores(model: RewardModel, path: Path, file: IO[str], say: Callable[[str], None]) -> int:
    count = 0
    for chunk in chunks(items(path)):
        usable = [content for _, content in chunk if not isinstance(content, Bad)]
        scores = iter(model.score([(prompt, text) for prompt, texts in usable for text in texts]))
        for where, content in chunk:
            file.write(json.dumps(line(where, content, scores), ensure_ascii=False) + "\n")
            count += not isinstance(content, Bad)
        say(f"{count:,} rows scored")
    if not count:
        raise BadInput(f"{path.name} has no row that can be scored. A row needs prompt and responses.")
    return count


def chunks(values: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(itertools.islice(values, CHUNK)):
        yield chunk


def line(where: str, content: Any, scores: Iterator[Any]) -> dict[str, Any]:
    if isinstance(content, Bad):
        return {"row": where, "error": content.reason}
    prompt, texts = content
    own = [next(scores) for _ in texts]
    return {
        "row": where,
        "prompt": prompt_text(prompt),
        "scores": [{"response": each.response, "reward": each.reward, "truncated": each.truncated} for each in own],
        "win_probability": probability_of_first([each.reward for each in own]),
    }


def items(path: Path) -> Iterator[tuple[str, tuple[Prompt, list[str]] | Bad]]:
    """Yield each row's prompt and responses, or why there are none."""
    for where, row in rows(path):
        yield where, row if isinstance(row, Bad) else asked(Numbered(where, row))


def asked(numbered: Numbered) -> tuple[Prompt, list[str]] | Bad:
    row = {str(key).lower(): value for key, value in numbered.row.items()}  # type: ignore[union-attr]
    try:
        texts = row.get("responses") or ([row["response"]] if row.get("response") else None)
        if texts:
            if not all(isinstance(text, str) and text.strip() for text in texts):
                return Bad("a response is empty or not text")
            return prompt_of(row), list(texts)
        layout = recognise(row)
        if layout is None:
            return Bad("needs prompt and responses, or columns that `import` knows")
        comparison = layout.read(row).comparison
        return comparison.prompt, [comparison.response_a, comparison.response_b]
    except (RowError, KeyError, TypeError, ValueError, AttributeError) as error:
        return Bad(str(error))
