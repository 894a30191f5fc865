"""The environment, read once in `main` into a frozen record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import BadInput


@dataclass(frozen=True)
class Settings:
    """Where data lives, where we listen, and who may write.

    `editors` matters on a Space only: there a visitor looks and scores, and these Hub users may write too.
    The two secrets are kept out of `repr`, so that no log can show them.
    """

    home: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 7860
    space_id: str = ""
    editors: frozenset[str] = frozenset()
    oauth: bool = False
    demo: bool = False
    argilla_api_url: str = ""
    argilla_api_key: str = field(default="", repr=False)

    @property
    def on_space(self) -> bool:
        return bool(self.space_id)

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the app."""
        return not self.on_space and self.host in ("127.0.0.1", "localhost", "::1")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the environment asks for; a Space listens to the world and starts as a demo."""
    space_id = environment.get("SPACE_ID", "")
    port = environment.get("GRADIO_SERVER_PORT", "7860")
    if not port.isdecimal():
        raise BadInput(f"GRADIO_SERVER_PORT is {port!r}; it is the number of a port, like 7860.")
    editors = environment.get("RLHF_APP_EDITORS", environment.get("SPACE_AUTHOR_NAME", ""))
    return Settings(
        home=Path(environment.get("RLHF_APP_HOME", "data")).absolute(),
        host=environment.get("GRADIO_SERVER_NAME", "0.0.0.0" if space_id else "127.0.0.1"),  # noqa: S104 (a Space is public)
        port=int(port),
        space_id=space_id,
        editors=frozenset(name.strip() for name in editors.split(",") if name.strip()),
        oauth=bool(space_id and environment.get("OAUTH_CLIENT_ID")),
        demo=bool(space_id),
        argilla_api_url=environment.get("ARGILLA_API_URL", ""),
        argilla_api_key=environment.get("ARGILLA_API_KEY", ""),
    )
