"""Every layout is known by its columns alone, and a row of it becomes a comparison with its votes."""

import json
from typing import Any

import pytest

from rlhf_app.data.cells import RowError
from rlhf_app.data.formats import LAYOUTS, Reading, recognise
from rlhf_app.records import Choice

SIDED = {"prompt": "Why?", "response_a": "because", "response_b": "no reason"}
FALCON = {"instruction": "Why?", "response-1": "because", "response-2": "no reason"}
USER = {"role": "user", "content": "Why?"}


def read(row: dict[str, Any]) -> Reading:
    layout = recognise(row)
    assert layout is not None
    return layout.read(row)


def choices(row: dict[str, Any]) -> list[Choice]:
    return [vote.choice for vote in read(row).votes]


def winner(reading: Reading) -> str:
    [vote] = reading.votes
    return {"a": reading.comparison.response_a, "b": reading.comparison.response_b}[vote.choice]


def answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (["id", "status", "fields", "choose-best.responses"], "Argilla 2.x export"),
        (["instruction", "response-1", "response-2", "choose-best"], "Argilla 1.x export"),
        (["prompt", "response_a", "response_b", "votes"], "Comparison with votes"),
        (["instruction", "response-1", "response-2", "category"], "Comparison"),
        (["Prompt", "Response_A", "Response_B"], "Comparison"),
        (["prompt", "chosen", "rejected", "score_chosen"], "Chosen and rejected, with prompt (TRL)"),
        (["chosen", "rejected"], "Chosen and rejected, prompt inside (TRL, HH-RLHF)"),
    ],
)
def test_the_columns_give_the_layout_away(columns: list[str], name: str) -> None:
    layout = recognise(columns)
    assert layout is not None
    assert layout.name == name


def test_every_layout_has_a_name_of_its_own() -> None:
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS) == 6


@pytest.mark.parametrize("columns", [[], ["prompt", "response_a"], ["text", "label"], ["prompt", "chosen"]])
def test_other_columns_are_no_layout(columns: list[str]) -> None:
    assert recognise(columns) is None


def test_a_comparison_without_judgement_has_no_vote() -> None:
    reading = read({**FALCON, "category": "open_qa", "judgement": ""})
    assert (reading.comparison.response_a, reading.comparison.response_b) == ("because", "no reason")
    assert (reading.votes, reading.remarks, reading.comparison.category) == ([], [], "open_qa")


@pytest.mark.parametrize(
    ("word", "choice"), [("response-2", "b"), ("A", "a"), (1, "a"), ("left", "a"), (" Tie ", "tie"), ("skip", "skip")]
)
def test_a_judgement_may_be_written_in_many_ways(word: Any, choice: str) -> None:
    assert choices({**SIDED, "judgement": word}) == [choice]


def test_a_judgement_that_names_no_side_is_remarked_and_not_guessed() -> None:
    reading = read({**SIDED, "preference": "the better one"})
    assert reading.votes == []
    assert reading.remarks == ["kept without its judgement, which names no side"]


def test_a_judgement_brings_its_annotator_and_its_strength() -> None:
    [vote] = read({**SIDED, "choice": "b", "annotator": "Ann", "strength": -2}).votes
    assert (vote.annotator, vote.choice, vote.strength) == ("Ann", "b", 2.0)


def test_a_strength_without_a_judgement_stays_as_metadata() -> None:
    assert read({**SIDED, "margin": 2}).comparison.metadata == {"margin": 2}


def test_a_strength_written_as_text_is_a_number() -> None:
    [vote] = read({"prompt": "Why?", "chosen": "x", "rejected": "y", "margin": "2.5"}).votes
    assert vote.strength == 2.5


def test_a_second_prompt_column_is_not_lost() -> None:
    reading = read({"instruction": "Translate.", "input": "Guten Tag", "chosen": "Good day", "rejected": "Bye"})
    assert "Guten Tag" in f"{reading.comparison.prompt} {reading.comparison.metadata}"


def test_every_vote_in_a_row_counts_but_those_that_name_no_side() -> None:
    votes = [{"annotator": "Ann", "choice": "a"}, {"annotator": "Bo", "choice": "tie"}, {"choice": "maybe"}]
    reading = read({**SIDED, "votes": votes, "topic": "reasons"})
    assert [(vote.annotator, vote.choice) for vote in reading.votes] == [("Ann", "a"), ("Bo", "tie")]
    assert reading.remarks == ["vote left out: its choice names no side"]
    assert reading.comparison.metadata == {"topic": "reasons"}


def test_chosen_and_rejected_texts_keep_who_won() -> None:
    reading = read({"prompt": "Why?", "chosen": "because", "rejected": "no reason", "margin": 1.5, "origin": "forum"})
    assert (reading.comparison.prompt, winner(reading), reading.votes[0].strength) == ("Why?", "because", 1.5)
    assert reading.comparison.metadata == {"origin": "forum"}


def test_chosen_and_rejected_messages_may_repeat_the_prompt() -> None:
    row = {"prompt": [USER], "chosen": [USER, answer("because")], "rejected": [USER, answer("no reason")]}
    reading = read(row)
    assert (reading.comparison.prompt, winner(reading)) == ([USER], "because")


def test_without_a_prompt_column_the_common_messages_are_the_prompt() -> None:
    talk = [USER, answer("because"), {"role": "user", "content": "And?"}]
    reading = read({"chosen": [*talk, answer("that is all")], "rejected": [*talk, answer("nothing")]})
    assert (reading.comparison.prompt, winner(reading)) == (talk, "that is all")


def test_without_a_prompt_column_the_common_beginning_is_the_prompt() -> None:
    reading = read({"chosen": "What is 2 + 2?\nIt is 4.", "rejected": "What is 2 + 2?\nIt is 5."})
    assert (reading.comparison.prompt, winner(reading)) == ("What is 2 + 2?", "It is 4.")


def test_a_transcript_is_read_as_messages() -> None:
    start = "\n\nHuman: Why?\n\nAssistant: What do you mean?\n\nHuman: The sky.\n\nAssistant:"
    reading = read({"chosen": f"{start} It scatters light.", "rejected": f"{start} No idea."})
    assert [turn["role"] for turn in reading.comparison.prompt] == ["user", "assistant", "user"]
    assert (reading.comparison.prompt[2]["content"], winner(reading)) == ("The sky.", "It scatters light.")


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        ("Yes", "No", "no common beginning"),
        ([USER], [answer("no")], "do not begin with the same message"),
        ([USER, answer("x"), USER, answer("y")], [USER, answer("z")], "differ in more than their last message"),
        (
            "Human: Why?\n\nAssistant: So\n\nHuman: Ah",
            "Human: Why?\n\nAssistant: No",
            "does not end with the assistant",
        ),
        ([USER, {"role": "assistant"}], [USER, answer("z")], "not a list of messages"),
    ],
)
def test_what_has_no_common_prompt_is_refused_with_the_reason(chosen: Any, rejected: Any, reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        read({"chosen": chosen, "rejected": rejected})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"response_b": "because"}, "the same text"),
        ({"response_b": "  "}, "response B is empty"),
        ({"response_b": None}, "response B is missing"),
        ({"response_b": {"text": "x"}}, "response B is not text"),
        ({"response_b": float("nan")}, "response B is missing"),
        ({"prompt": []}, "the prompt is empty"),
    ],
)
def test_a_row_that_lacks_something_says_what(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        read({**SIDED, **change})


def test_half_of_a_surrogate_pair_becomes_the_replacement_character() -> None:
    reading = read({**SIDED, "response_a": "cut \ud83d", "note": "cut \ud83d"})
    assert reading.comparison.response_a == "cut \ufffd"
    assert reading.comparison.metadata == {"note": "cut \ufffd"}


def test_argilla_1_as_a_dict_of_lists() -> None:
    best = {
        "user_id": ["u1", None, "u3", "u4"],
        "value": [1, "2", None, 1],
        "status": ["submitted"] * 2 + ["discarded", "draft"],
    }
    reading = read({**FALCON, "choose-best": best, "category": "open_qa"})
    assert [tuple(vote[:2]) for vote in reading.votes] == [("u1", "a"), ("unknown user 2", "b"), ("u3", "skip")]
    assert reading.remarks == ["answer left out: its status is 'draft'"]
    assert reading.comparison.metadata == {"category": "open_qa"}


def test_argilla_1_as_a_list_of_dicts() -> None:
    row = {
        **FALCON,
        "choose-best": [{"user_id": None, "value": 2, "status": "submitted"}, {"user_id": "u", "status": "discarded"}],
        "choose-best-suggestion": 1,
        "external_id": "17",
        "metadata": '{"category": "brainstorming"}',
    }
    reading = read(row)
    assert [tuple(vote[:2]) for vote in reading.votes] == [("unknown user 1", "b"), ("u", "skip")]
    assert (reading.comparison.id, reading.comparison.metadata) == ("17", {"category": "brainstorming"})


@pytest.mark.parametrize(("first", "second", "choice"), [(1, 2, "a"), (2, 1, "b"), (1, 1, "tie")])
def test_argilla_rankings_of_equal_rank_are_a_tie(first: int, second: int, choice: str) -> None:
    ranking = [{"rank": second, "value": "response-2"}, {"rank": first, "value": "response-1"}]
    assert choices({**FALCON, "choose-best": [{"user_id": "u", "value": ranking, "status": "submitted"}]}) == [choice]


def test_argilla_rankings_that_leave_a_response_out_are_remarked() -> None:
    ranking = [{"rank": 1, "value": "response-1"}]
    reading = read({**FALCON, "choose-best": [{"user_id": "u", "value": ranking, "status": "submitted"}]})
    assert reading.votes == []
    assert "names no side" in reading.remarks[0]


def test_argilla_1_unanswered_or_written_as_text() -> None:
    assert choices({**FALCON, "choose-best": None}) == []
    assert choices({**FALCON, "choose-best": json.dumps([{"user_id": "u", "value": 1, "status": "submitted"}])}) == [
        "a"
    ]


def argilla_2(users: Any, values: Any, statuses: Any, **more: Any) -> dict[str, Any]:
    answers = {".users": users, "": values, ".status": statuses}
    return {
        "id": "r1",
        "status": "completed",
        **more,
        **{f"choose-best.responses{key}": answers[key] for key in answers},
    }


def test_argilla_2_with_two_answers() -> None:
    row = argilla_2(["u1", "u2"], ["response-1", "response-2"], ["submitted", "discarded"], **FALCON)
    reading = read({**row, "choose-best.suggestion": "response-2"})
    assert [tuple(vote[:2]) for vote in reading.votes] == [("u1", "a"), ("u2", "skip")]
    assert (reading.comparison.id, reading.comparison.metadata) == ("r1", {})


def test_argilla_2_unanswered_keeps_its_comparison() -> None:
    reading = read(argilla_2(None, None, None, fields=FALCON))
    assert (reading.votes, reading.comparison.prompt) == ([], "Why?")


def test_argilla_2_with_its_fields_as_text() -> None:
    reading = read(argilla_2(["u"], ["response-2"], None, fields=json.dumps(FALCON)))
    assert (reading.votes[0].choice, reading.comparison.response_b) == ("b", "no reason")
