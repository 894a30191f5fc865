"""Start the server: prepare Gradio, build the app, warm up what the first click needs."""

import inspect
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import Busy
from .sample import NAME, ensure_sample
from .settings import Settings
from .store import Store

log = logging.getLogger("rlhf_app")

LARGEST_UPLOAD, LARGEST_UPLOAD_ON_SPACE = "2gb", "100mb"


def launch(settings: Settings, block: bool = True) -> Any:
    """Serve the app until the process ends, or return it running. Raises Busy if the port is taken."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    store = Store(settings.home)
    prepare()
    with without_stub_files():
        from starlette.middleware import Middleware

        from . import ui
        from .ui.hardening import Hardening
        from .ui.theme import theme

    ensure_sample(store)
    demo = ui.build(store, settings)
    demo.queue(default_concurrency_limit=4, max_size=64)
    demo._queue.sleep_when_free = 0.02  # Gradio's 0.001 burns 8 % of a core while nothing happens
    try:
        demo.launch(
            server_name=settings.host,
            server_port=settings.port,
            quiet=True,
            prevent_thread_lock=True,
            ssr_mode=False,
            run_history=False,
            footer_links=[],
            enable_monitoring=False,
            state_session_capacity=500,
            max_file_size=LARGEST_UPLOAD_ON_SPACE if settings.on_space else LARGEST_UPLOAD,
            theme=theme(),
            css_paths=ui.ASSETS / "style.css",
            js=(ui.ASSETS / "keys.js").read_text(encoding="utf-8"),
            favicon_path=ui.ASSETS / "logo.svg",
            app_kwargs={
                "middleware": [Middleware(Hardening)],
                "docs_url": None,
                "redoc_url": None,
                "openapi_url": None,
            },
        )
    except OSError as error:
        raise Busy(
            f"Port {settings.port} is taken. Set another: GRADIO_SERVER_PORT=7861, or `serve --port 7861`."
        ) from error
    print(f"{ui.TITLE} is at http://{settings.host}:{settings.port} (Ctrl+C ends it; training runs go on)", flush=True)
    threading.Thread(target=warm_up, args=(store, settings.demo), daemon=True).start()
    if block:
        demo.block_thread()
    return demo


def prepare() -> None:
    """Set what Gradio and the Hub's libraries read from the environment: nothing is reported to anybody."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "100000")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


@contextmanager
def without_stub_files() -> Iterator[None]:
    """Let Gradio import in 60 % of its time: it writes type stubs for each of its components at every start.

    It leaves out those whose source file it cannot find (gradio.component_meta.create_or_modify_pyi), so for the length of
    its import `inspect.getfile` does not find them.
    """
    found = inspect.getfile

    def not_for_components(thing: Any) -> str:
        if inspect.isclass(thing) and thing.__module__.startswith(("gradio.", "rlhf_app.")):
            raise OSError("no stubs wanted")
        return found(thing)

    inspect.getfile = not_for_components  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = found


def warm_up(store: Store, demo: bool) -> None:
    """In the background: train the first model of a demo, and load the libraries that the first click needs."""
    from .reward.base_models import embedded_folder
    from .reward.reward_model import load_network
    from .training import runs
    from .training.config import configured

    try:
        if demo and not any(run.has_model or run.alive for run in runs.every(store)):
            runs.start(store, configured("quick", dataset=NAME))
        load_network(str(embedded_folder()))
    except Exception:
        log.exception("Warming up failed; the app goes on")
