"""The public API, called as a program calls it."""

from collections.abc import Callable

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from .conftest import App

pytestmark = pytest.mark.e2e

ENDPOINTS = {"/datasets", "/runs", "/run", "/evaluation", "/score", "/annotate", "/train", "/stop"}


@pytest.fixture(scope="module")
def client(app: App) -> Client:
    return Client(app.url, verbose=False)


def test_only_the_public_endpoints_are_listed(client: Client) -> None:
    assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == ENDPOINTS


def test_datasets_and_annotations_go_through_it(client: Client) -> None:
    assert "sample" in [dataset["name"] for dataset in client.predict(api_name="/datasets")]
    written = client.predict("sample", "sample-001", "Program", "tie", api_name="/annotate")
    assert (written["annotator"], written["choice"]) == ("Program", "tie")


@pytest.mark.parametrize(
    ("endpoint", "values", "message"),
    [
        ("/annotate", ("sample", "sample-001", "Program", "best"), "'best' is no choice"),
        ("/annotate", ("sample", "nothing", "Program", "a"), "no comparison 'nothing'"),
        ("/run", ("../../etc",), "cannot be a name"),
        ("/score", ("Why?", ["Because."]), "No reward model is trained yet"),
        ("/score", ("Why?", ["Because."] * 65), "65 responses are too many"),
        ("/train", ("sample", "fast"), "one of quick, balanced, full"),
    ],
)
def test_an_error_is_the_sentence_that_the_page_shows(
    client: Client, endpoint: str, values: tuple, message: str
) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(*values, api_name=endpoint)


def test_on_a_space_a_program_may_not_write(start_app: Callable[..., App]) -> None:
    client = Client(start_app(SPACE_ID="team/space").url, verbose=False)
    with pytest.raises(AppError, match="visitors look and score"):
        client.predict("sample", "sample-001", "Program", "a", api_name="/annotate")
    with pytest.raises(AppError, match="visitors look and score"):
        client.predict("sample", "quick", api_name="/train")
