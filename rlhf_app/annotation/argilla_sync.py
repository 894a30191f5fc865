"""Argilla: the connection to a team's annotation server. The only importer of argilla.

Pushing comparisons and pulling judgements builds on `connect`; every failure of the SDK becomes one sentence here.
"""

import logging
import warnings
from dataclasses import dataclass
from typing import Any

from ..errors import AppError, BadInput, Forbidden, ServiceError

TIMEOUT = 10


@dataclass(frozen=True)
class Connection:
    """Who we are on which server. The key is not part of it."""

    url: str
    version: str
    user: str
    role: str
    workspaces: tuple[str, ...]


def status(url: str, key: str) -> Connection:
    """Return what a server says of itself and of us. Raises BadInput, Forbidden and ServiceError."""
    url, key = (url or "").strip().rstrip("/"), (key or "").strip()
    if not url.startswith(("http://", "https://")) or not url.partition("://")[2]:
        raise BadInput("Write the server's whole address, with http:// or https://.")
    if not key:
        raise BadInput("Write your API key. Argilla shows it under 'My settings'.")
    if not (key.isascii() and key.isprintable()):
        raise BadInput(
            "This cannot be an API key: keys are plain letters and digits. Copy it again from 'My settings'."
        )
    client = connect(url, key)
    try:
        me = client.me
        version = client.api.http_client.get("/api/v1/version").json()["version"]
        return Connection(url, version, me.username, str(getattr(me.role, "value", me.role)),
                          tuple(workspace.name for workspace in client.workspaces))  # fmt: skip
    except Exception as error:
        raise translated(url, error) from error


def connect(url: str, key: str) -> Any:
    """Return the SDK's client. Raises as `status` does."""
    logging.getLogger("argilla").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import argilla
    try:
        return argilla.Argilla(api_url=url, api_key=key, timeout=TIMEOUT, retries=0)
    except Exception as error:
        raise translated(url, error) from error


def translated(url: str, error: Exception) -> AppError:
    """Say what an exception of the SDK means and what to do; it never repeats the key."""
    import httpx
    from argilla._exceptions import ArgillaCredentialsError, ForbiddenError, NotFoundError, UnauthorizedError

    if isinstance(error, AppError):
        return error
    if isinstance(error, (ArgillaCredentialsError, UnauthorizedError)):
        return Forbidden(f"{url} does not know this API key. Copy it again from 'My settings' in Argilla.")
    if isinstance(error, ForbiddenError):
        return Forbidden("This key may not do that. Use the key of an owner or admin of the workspace.")
    if isinstance(error, httpx.TimeoutException):
        return ServiceError(f"{url} does not answer within {TIMEOUT} seconds. Is it starting up? Try again.")
    if isinstance(error, httpx.HTTPError):
        return ServiceError(f"No server answers at {url}. Check the address, and that Argilla is running.")
    if isinstance(error, httpx.InvalidURL):
        return BadInput(f"'{url}' is no address. It looks like https://argilla.example.org.")
    if isinstance(error, (KeyError, ValueError, TypeError, AttributeError, NotFoundError)):
        return ServiceError(f"What answers at {url} is not an Argilla server. Check the address.")
    return ServiceError(f"Argilla at {url} failed: {type(error).__name__}.")
