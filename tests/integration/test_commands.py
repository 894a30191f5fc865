"""The command line as a process: every job, with its JSON on stdout and its progress on stderr."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rlhf_app.annotation.annotations import annotations
from rlhf_app.annotation.queue import as_stored
from rlhf_app.store import Store
from rlhf_app.training import runs
from rlhf_app.training.snapshot import read_pairs

from .conftest import ROOT, SHORT, Trained, command, result, tiny_rows, write_rows

pytestmark = pytest.mark.integration

PROMPT = "How do I care for plant number 3?"
UNJUDGED = [{"id": f"n{n}", "prompt": f"Prompt {n}", "response_a": "left", "response_b": "right"} for n in range(4)]


def only(answer: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the one JSON object that is all of a command's stdout."""
    assert len(answer.stdout.splitlines()) == 1, answer.stdout + answer.stderr
    return result(answer)


@pytest.fixture
def unjudged(tmp_path: Path) -> Path:
    """A home with a dataset `new` that nobody has judged."""
    home = tmp_path / "home"
    result(command(home, "import", write_rows(tmp_path / "new.jsonl", UNJUDGED), "--name", "new", "--json"))
    return home


def test_import_reports_what_it_kept_and_what_it_skipped(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "mine.jsonl", [*tiny_rows(), {"prompt": "Why?", "chosen": "x"}])
    found = only(command(tmp_path / "home", "import", path, "--json"))
    assert (found["dataset"], found["rows"], found["comparisons"], found["votes"]) == ("mine", 41, 40, 40)
    assert list(found["skipped"].values()) == [[1, "line 41"]]


def test_import_tells_a_person_the_same(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "mine.jsonl", [*tiny_rows(), {"prompt": "Why?", "chosen": "x"}])
    told = command(tmp_path / "home", "import", path).stdout
    assert "41 rows read, 40 comparisons, 40 judgements" in told
    assert "skipped 1: " in told and "line 41" in told
    assert "Stored as 'mine'." in told


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    found = only(
        command(tmp_path / "home", "import", write_rows(tmp_path / "mine.jsonl", tiny_rows()), "--dry-run", "--json")
    )
    assert found["comparisons"] == 40
    assert "dataset" not in found
    assert [each["name"] for each in only(command(tmp_path / "home", "datasets", "--json"))["datasets"]] == ["sample"]


def test_import_takes_columns_by_other_names(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("task,best,worst\nWhy?,Because.,No.\n")
    words = [each for column in ("task=prompt", "best=chosen", "worst=rejected") for each in ("--columns", column)]
    assert only(command(tmp_path / "home", "import", path, *words, "--json"))["comparisons"] == 1


def test_a_name_that_is_taken_is_answered_with_one_that_is_free(unjudged: Path, tmp_path: Path) -> None:
    answer = command(unjudged, "import", tmp_path / "new.jsonl", "--name", "new")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.splitlines()[-1] == "Error: There is a dataset 'new' already. 'new-2' is free."


def test_datasets_lists_the_sample_and_how_much_is_judged(unjudged: Path) -> None:
    rows = {each["name"]: each for each in only(command(unjudged, "datasets", "--json"))["datasets"]}
    assert (rows["new"]["comparisons"], rows["new"]["judged"]) == (4, 0)
    assert rows["sample"]["comparisons"] == rows["sample"]["judged"] > 400


def test_one_comparison_is_judged_by_its_id(unjudged: Path) -> None:
    words = ("annotate", "new", "--annotator", "bo", "--id", "n2", "--choice", "b", "--note", "clearer", "--json")
    assert only(command(unjudged, *words)) == {"mine": 1, "anyone": 1, "total": 4}
    [judged] = annotations(Store(unjudged), "new")
    assert (judged.comparison_id, judged.annotator, judged.choice, judged.note) == ("n2", "bo", "b", "clearer")


def test_comparisons_are_judged_in_turn_at_the_keyboard(unjudged: Path) -> None:
    answer = command(unjudged, "annotate", "new", "--annotator", "bo", "--json", typed="a\nx\nb\nt\nq\n")
    assert only(answer) == {"mine": 3, "anyone": 3, "total": 4}
    assert "Prompt 0" in answer.stderr and "left" in answer.stderr
    judged = [(each.comparison_id, each.choice) for each in annotations(Store(unjudged), "new")]
    assert judged == [("n0", as_stored("a", "bo", "n0")), ("n1", as_stored("b", "bo", "n1")), ("n2", "tie")]


def test_undo_shows_the_comparison_again(unjudged: Path) -> None:
    answer = command(unjudged, "annotate", "new", "--annotator", "bo", typed="u\na\nu\ns\n")
    assert "nothing to undo" in answer.stderr
    assert "Taken back: n0" in answer.stderr
    assert [(each.comparison_id, each.choice) for each in annotations(Store(unjudged), "new")] == [("n0", "skip")]


def test_judging_ends_when_all_is_judged_and_signs_with_the_users_name(unjudged: Path) -> None:
    answer = command(unjudged, "annotate", "new", typed="t\n" * 4)
    assert answer.stderr.endswith("All judged.\n")
    assert answer.stdout == "ada has judged 4 of 4.\n"


def test_train_ends_with_the_evaluation_and_tells_its_progress_on_stderr(trained: Trained) -> None:
    found = only(trained.said)
    assert found["run"] == trained.run
    assert found["interval"][0] <= found["eval_accuracy"] <= found["interval"][1]
    assert set(found["baselines"]) == {"longer_wins", "first_side_wins"}
    assert "step 6 of 6" in trained.said.stderr


def test_ctrl_c_stops_a_run_and_evaluates_what_it_has_learned(tiny: Store) -> None:
    words = [sys.executable, "-m", "rlhf_app", "train", "tiny", *SHORT, "--epochs", "100", "--json"]
    environment = {**os.environ, "RLHF_APP_HOME": str(tiny.home)}
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "Training: step" in line)
        process.send_signal(signal.SIGINT)
        output, told = process.communicate(timeout=60)
    found = json.loads(output)
    assert (process.returncode, "Stopping after this step" in told) == (0, True)
    assert runs.get(tiny, found["run"]).state == "stopped"
    assert 0 <= found["eval_accuracy"] <= 1


def test_train_detached_returns_at_once_and_can_be_stopped(trained: Trained) -> None:
    run = only(trained.do("train", "tiny", *SHORT, "--epochs", "100", "--detach", "--json"))["run"]
    assert only(trained.do("runs", "show", run, "--json"))["state"] in ("queued", "running")
    assert only(trained.do("runs", "stop", run, "--json")) == {"run": run, "state": "stopped"}
    assert trained.do("runs", "stop", run).stderr == f"Error: Run '{run}' is not going: it is stopped.\n"


def test_runs_lists_every_run(trained: Trained) -> None:
    rows = {row["run"]: row for row in only(trained.do("runs", "--json"))["runs"]}
    assert (rows[trained.run]["state"], rows[trained.run]["model"]) == ("finished", True)
    assert trained.run in trained.do("runs").stdout


def test_runs_show_tells_all_of_a_run(trained: Trained) -> None:
    found = only(trained.do("runs", "show", trained.run, "--json"))
    assert (found["run"], found["state"], found["progress"]) == (trained.run, "finished", 1.0)
    assert {"loss", "accuracy", "eval_accuracy"} <= set(found["metrics"])
    assert found["config"]["max_length"] == 32
    assert (Path(found["model_folder"]) / "model.safetensors").exists()
    assert "state: finished" in trained.do("runs", "show", trained.run).stdout


def test_runs_log_prints_the_last_lines(trained: Trained) -> None:
    assert trained.do("runs", "log", trained.run, "--lines", "1").stdout.endswith("Saving the model\n")
    found = only(trained.do("runs", "log", trained.run, "--json"))
    assert found["run"] == trained.run
    assert "Loading Transformers" in found["log"]


def test_evaluate_tells_accuracy_beside_trivial_judges(trained: Trained) -> None:
    found = only(trained.do("evaluate", "latest", "--json"))
    assert found == only(trained.said)
    told = trained.do("evaluate", trained.run).stdout
    assert "agrees with people" in told and "longer wins" in told and "95 % interval" in told


def test_evaluate_on_another_dataset_leaves_out_what_was_learned(trained: Trained, tmp_path: Path) -> None:
    rows = [*tiny_rows("fern"), *tiny_rows()]
    trained.do("import", write_rows(tmp_path / "other.jsonl", rows), "--name", "other")
    found = only(trained.do("evaluate", trained.run, "--on", "other", "--json"))
    assert (found["on"], found["seen_in_training"], found["pairs"]) == ("other", 32, 48)


def test_evaluate_on_what_was_learned_alone_is_refused(trained: Trained, tmp_path: Path) -> None:
    learned = [row for row in tiny_rows() if row["prompt"] not in held_out(trained)]
    trained.do("import", write_rows(tmp_path / "learned.jsonl", learned), "--name", "learned")
    answer = trained.do("evaluate", trained.run, "--on", "learned")
    assert answer.returncode == 2
    assert "has not learned from" in answer.stderr


def held_out(trained: Trained) -> set[str]:
    return {str(pair.prompt) for pair in read_pairs(trained.folder / "pairs.parquet")["test"]}


def test_score_gives_rewards_and_the_probability_of_the_first(trained: Trained) -> None:
    responses = ("--response", "Gladly! Water it.", "--response", "No idea, look it up.")
    words = ("score", "latest", "--prompt", PROMPT, *responses)
    found = only(trained.do(*words, "--json"))
    first, second = (each["reward"] for each in found["scores"])
    assert (found["run"], first > second) == (trained.run, True)
    assert found["win_probability"] > 0.5
    assert "The first is preferred with probability" in trained.do(*words).stdout


def test_score_without_anything_to_score_says_what_is_needed(trained: Trained) -> None:
    answer = trained.do("score", "latest", "--prompt", PROMPT)
    assert (answer.returncode, answer.stderr) == (2, "Error: Give --prompt and at least one --response, or --file.\n")


ASKED = [
    {"prompt": PROMPT, "responses": ["Gladly!", "No idea.", "Hm."]},
    {"prompt": PROMPT, "response": "Gladly!"},
    {"prompt": "Nothing to score"},
    {"prompt": PROMPT, "chosen": "Gladly!", "rejected": "No idea."},
]


def test_score_reads_a_file_and_writes_a_line_for_each_row(trained: Trained, tmp_path: Path) -> None:
    path, output = write_rows(tmp_path / "asked.jsonl", ASKED), tmp_path / "scores.jsonl"
    found = only(trained.do("score", "latest", "--file", path, "--output", output, "--json"))
    assert found == {"run": trained.run, "rows": 3, "output": str(output)}
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [len(line.get("scores", [])) for line in lines] == [3, 1, 0, 2]
    assert "error" in lines[2]
    assert lines[0]["scores"][0]["reward"] == pytest.approx(lines[1]["scores"][0]["reward"], abs=1e-5)


def test_score_of_a_file_prints_nothing_but_json_lines(trained: Trained, tmp_path: Path) -> None:
    answer = trained.do("score", "latest", "--file", write_rows(tmp_path / "asked.jsonl", ASKED))
    assert [next(iter(json.loads(line))) for line in answer.stdout.splitlines()] == ["row"] * 4
    assert "rows scored" in answer.stderr
