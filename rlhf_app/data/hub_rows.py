"""The rows of a dataset on the Hugging Face Hub, streamed, with each failure told in one sentence."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import BadInput, ServiceError
from .files import Numbered

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
OFFERED = "argilla/dolly-curated-comparison-falcon-7b-instruct"


@dataclass(frozen=True)
class HubSource:
    """A dataset's id on the Hub, and which of its configurations and splits."""

    id: str
    config: str | None = None
    split: str = "train"

    @property
    def label(self) -> str:
        return self.id


def is_hub_id(text: str) -> bool:
    return bool(HUB_ID.fullmatch(text.strip()))


def hub_rows(source: HubSource) -> Iterator[Numbered]:
    """Yield the rows of a Hub dataset. Raises BadInput and ServiceError."""
    if not is_hub_id(source.id):
        raise BadInput(f"'{source.id}' is not a dataset's id. It looks like '{OFFERED}'.")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HfHubHTTPError

    try:
        loaded = load_dataset(f"hf://datasets/{source.id}", source.config, split=source.split, streaming=True)
        for number, row in enumerate(loaded, 1):
            yield Numbered(f"row {number}", row)
    except RuntimeError as error:
        if "script" not in str(error):
            raise
        raise BadInput(
            f"'{source.id}' is a program, and programs of others are not run here. {str(error)[:200]}"
        ) from error
    except (DatasetsError, FileNotFoundError, HfHubHTTPError, ConnectionError, OSError, ValueError) as error:
        raise translated(source, error) from error


def translated(source: HubSource, error: Exception) -> BadInput | ServiceError:
    """Say what a failure of the Hub means and what to do."""
    text = str(error)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, ValueError) and "split" in text.lower():
        return BadInput(f"'{source.id}' has no split '{source.split}'. {text[:200]}")
    if isinstance(error, ValueError) and "config" in text.lower():
        return BadInput(f"'{source.id}' needs a configuration. {text[:200]}")
    if status in (401, 403) or "gated" in text.lower():
        return ServiceError(
            f"The Hub does not let us read '{source.id}'. Accept its terms there and set HF_TOKEN in the environment."
        )
    if status == 404 or "doesn't exist" in text or "not found" in text.lower():
        return ServiceError(
            f"The Hub has no dataset '{source.id}', or it is private. Check the id; set HF_TOKEN if it is."
        )
    return ServiceError(
        f"The Hub cannot be reached for '{source.id}'. Check the network, or download the file and import it from disk."
    )
