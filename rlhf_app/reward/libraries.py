"""Transformers, loaded on the first use and by one thread at a time.

Its package swaps itself for a lazy one while it is imported; two threads that import it together both fail with
"cannot import name". The server warms up in one thread while the first visitor clicks in another.
"""

import os
import threading
from typing import Any

LOADING = threading.Lock()


def transformers() -> Any:
    """Return the package, with the classes we use resolved and its chatter off."""
    with LOADING:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        import transformers as package

        for name in ("AutoConfig", "AutoTokenizer", "AutoModelForSequenceClassification"):
            getattr(package, name)
        package.logging.set_verbosity_error()
        package.logging.disable_progress_bar()
        return package
