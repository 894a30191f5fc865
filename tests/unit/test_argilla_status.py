"""Every way the connection to Argilla fails is one sentence that says what to do and never repeats the key."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rlhf_app.annotation.argilla_sync import status
from rlhf_app.errors import AppError, BadInput, Forbidden, ServiceError

KEY = "owner.k3y-that-is-secret"


class Answer(BaseHTTPRequestHandler):
    """Answers every request with the status and the text that the server was given."""

    def do_GET(self) -> None:
        code, text = self.server.answer  # type: ignore[attr-defined]
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def answering(server: ThreadingHTTPServer) -> Callable[[int, str], str]:
    """Let the server answer so, and return its address."""

    def answer(code: int, text: str) -> str:
        server.answer = (code, text)  # type: ignore[attr-defined]
        return f"http://127.0.0.1:{server.server_port}"

    return answer


def refusal(url: str, key: str = KEY) -> AppError:
    with pytest.raises(AppError) as caught:
        status(url, key)
    assert KEY not in str(caught.value)
    assert "k3y" not in repr(caught.value)
    return caught.value


@pytest.mark.parametrize("url", ["", "localhost:6900", "127.0.0.1", "ftp://here", "argilla", "http://"])
def test_an_address_without_a_scheme_or_host_is_refused(url: str) -> None:
    error = refusal(url)
    assert isinstance(error, BadInput)
    assert str(error) == "Write the server's whole address, with http:// or https://."


def test_an_address_that_is_none_is_refused() -> None:
    assert isinstance(refusal("http://[::1"), AppError)
    assert "address" in str(refusal("http://[::1"))


@pytest.mark.parametrize("key", ["", "  "])
def test_a_key_is_needed(key: str) -> None:
    assert str(refusal("http://127.0.0.1:9", key)) == "Write your API key. Argilla shows it under 'My settings'."


@pytest.mark.parametrize("key", ["ключ", "two\nlines"])
def test_a_key_that_cannot_be_one_is_blamed_and_not_the_server(key: str) -> None:
    error = refusal("http://127.0.0.1:9", key)
    assert isinstance(error, BadInput)
    assert "key" in str(error)
    assert key not in str(error)


def test_no_server_answers() -> None:
    error = refusal("http://127.0.0.1:9/")
    assert isinstance(error, ServiceError)
    assert str(error) == "No server answers at http://127.0.0.1:9. Check the address, and that Argilla is running."


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (200, "<html>Welcome</html>"),
        (200, ""),
        (200, "{}"),
        (200, "[]"),
        (200, "null"),
        (404, "Not Found"),
        (404, "{}"),
    ],
)
def test_what_answers_is_not_an_argilla_server(answering: Callable[[int, str], str], code: int, text: str) -> None:
    url = answering(code, text)
    error = refusal(url)
    assert isinstance(error, ServiceError)
    assert str(error) == f"What answers at {url} is not an Argilla server. Check the address."


def test_a_key_the_server_does_not_know(answering: Callable[[int, str], str]) -> None:
    error = refusal(answering(401, '{"detail": "unauthorized"}'))
    assert isinstance(error, Forbidden)
    assert "does not know this API key. Copy it again" in str(error)


def test_a_key_that_may_not_do_that(answering: Callable[[int, str], str]) -> None:
    error = refusal(answering(403, '{"detail": "forbidden"}'))
    assert isinstance(error, Forbidden)
    assert "owner or admin" in str(error)


@pytest.mark.parametrize("text", ["", "down", f'{{"detail": "{KEY}"}}'])
@pytest.mark.parametrize("code", [500, 503])
def test_a_server_that_fails(answering: Callable[[int, str], str], code: int, text: str) -> None:
    url = answering(code, text)
    error = refusal(url)
    assert isinstance(error, ServiceError)
    assert str(error).startswith(f"Argilla at {url} failed")
