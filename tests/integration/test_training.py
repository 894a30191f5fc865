"""Real runs in real worker processes: what they leave behind, and how they end."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from rlhf_app.data.importing import keep, stage
from rlhf_app.errors import BadInput
from rlhf_app.reward.base_models import embedded_folder
from rlhf_app.reward.reward_model import load
from rlhf_app.store import Store, read_json
from rlhf_app.training import events, runs
from rlhf_app.training.config import configured

from .conftest import ROOT, Trained, tiny_rows, until, write_rows

pytestmark = pytest.mark.integration

LONG = {"dataset": "tiny", "epochs": 100.0, "batch_size": 4, "max_length": 32}
SHORT = {**LONG, "epochs": 0.1}
PROMPT = "How do I care for plant number 3?"
RESPONSES = ("Gladly! Water it every 5 days.", "No idea, look it up yourself in book 3, please.")


def kinds(store: Store, run: runs.Run) -> list[str]:
    return [event["event"] for event in events.read(store.run(run.id))]


def state(store: Store, run: runs.Run) -> str:
    return runs.get(store, run.id).state


def ended(store: Store, run: runs.Run) -> runs.Run:
    until(lambda: not runs.get(store, run.id).alive)
    return runs.get(store, run.id)


def test_a_run_tells_its_steps_and_its_end(trained: Trained) -> None:
    told = [event["event"] for event in events.read(trained.folder)]
    assert told[:2] == ["preparing", "started"]
    assert told[-2:] == ["saved", "finished"]
    assert told.count("step") == runs.progress(trained.store, trained.run).total_steps > 3
    assert "evaluated" in told


def test_a_run_shows_its_curves_by_trls_names(trained: Trained) -> None:
    curves = runs.progress(trained.store, trained.run).curves
    assert {"loss", "accuracy", "margin", "mean_reward", "learning_rate", "grad_norm"} <= set(curves)
    assert {"eval_loss", "eval_accuracy", "eval_margin"} <= set(curves)


def test_the_exported_folder_scores_the_same_in_three_lines_of_transformers(trained: Trained) -> None:
    tokenizer = AutoTokenizer.from_pretrained(trained.folder / "model")
    network = AutoModelForSequenceClassification.from_pretrained(trained.folder / "model")
    items = [(PROMPT * length, response) for length in (1, 20) for response in RESPONSES]
    scores = load(trained.folder / "model").score(items)
    for (prompt, response), score in zip(items, scores, strict=True):
        logits = network(**tokenizer(prompt, response, return_tensors="pt", truncation=True)).logits
        assert logits.item() == pytest.approx(score.reward, abs=1e-5)


def test_a_pipeline_gives_the_raw_reward(trained: Trained) -> None:
    pipe: Any = pipeline("text-classification", str(trained.folder / "model"))
    [score] = load(trained.folder / "model").score([(PROMPT, RESPONSES[1])])
    found = pipe({"text": PROMPT, "text_pair": RESPONSES[1]})
    found = found[0] if isinstance(found, list) else found
    assert found["score"] == pytest.approx(score.reward, abs=1e-5)
    assert found["label"] == "reward"


def test_what_is_served_is_what_was_trained(trained: Trained) -> None:
    evaluation = read_json(trained.folder / "evaluation.json")
    assert evaluation["difference_to_training"] < 1e-5
    assert evaluation["pairs"] == 8


def test_a_prompt_of_a_hundred_thousand_tokens_scores_and_says_what_was_not_read(trained: Trained) -> None:
    [score] = load(trained.folder / "model").score([("word " * 100_000, RESPONSES[0])])
    assert score.tokens == 32
    assert score.truncated > 99_000


def test_a_whole_run_leaves_no_half_written_file(trained: Trained) -> None:
    assert [path.name for path in trained.folder.rglob(".*")] == []
    assert read_json(trained.folder / "model.json")["base"] == "all-MiniLM-L6-v2"


def test_sigterm_stops_a_run_and_keeps_its_model(tiny: Store) -> None:
    run = runs.start(tiny, configured("quick", **LONG))
    until(lambda: "step" in kinds(tiny, run))
    runs.stop(tiny, run.id)
    stopped = ended(tiny, run)
    assert (stopped.state, stopped.has_model) == ("stopped", True)
    assert runs.progress(tiny, run.id).share < 1
    assert load(runs.model_folder(tiny, run.id)).score([(PROMPT, RESPONSES[0])])


def test_asking_twice_to_stop_still_keeps_the_model(tiny: Store) -> None:
    run = runs.start(tiny, configured("quick", **LONG))
    until(lambda: "step" in kinds(tiny, run))
    runs.stop(tiny, run.id)
    until(lambda: "Saving the model" in runs.log(tiny, run.id))
    runs.stop(tiny, run.id)
    stopped = ended(tiny, run)
    assert (stopped.state, stopped.has_model) == ("stopped", True)


def test_a_run_stopped_at_once_is_stopped(tiny: Store) -> None:
    run = runs.start(tiny, configured("quick", **LONG))
    runs.stop(tiny, run.id)
    assert ended(tiny, run).state == "stopped"


def test_a_killed_run_is_interrupted_and_says_so_to_everybody(tiny: Store) -> None:
    run = runs.start(tiny, configured("quick", **LONG))
    until(lambda: state(tiny, run) == "running")
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    killed = ended(tiny, run)
    assert (killed.state, killed.has_model, killed.pid) == ("interrupted", False, None)
    with pytest.raises(BadInput, match="has no model: it is interrupted"):
        runs.model_folder(tiny, run.id)


def test_a_second_run_waits_its_turn_and_then_runs(tiny: Store) -> None:
    first = runs.start(tiny, configured("quick", **LONG))
    until(lambda: state(tiny, first) == "running")
    second = runs.start(tiny, configured("quick", **SHORT))
    until(lambda: "waiting for its end" in runs.log(tiny, second.id))
    assert (state(tiny, first), state(tiny, second)) == ("running", "queued")
    runs.stop(tiny, first.id)
    assert ended(tiny, second).state == "finished"
    assert state(tiny, first) == "stopped"


def test_a_queued_run_can_be_stopped(tiny: Store) -> None:
    first = runs.start(tiny, configured("quick", **LONG))
    until(lambda: state(tiny, first) == "running")
    second = runs.start(tiny, configured("quick", **SHORT))
    until(lambda: "waiting for its end" in runs.log(tiny, second.id))
    runs.stop(tiny, second.id)
    assert ended(tiny, second).state == "stopped"
    assert state(tiny, first) == "running"


def test_a_base_without_weights_fails_in_one_sentence(tiny: Store, tmp_path: Path) -> None:
    base = tmp_path / "base"
    AutoTokenizer.from_pretrained(embedded_folder()).save_pretrained(base)
    (base / "config.json").write_text((embedded_folder() / "config.json").read_text())
    failed = ended(tiny, runs.start(tiny, configured("quick", **SHORT, base=str(base))))
    assert (failed.state, failed.has_model) == ("failed", False)
    assert failed.message.startswith(f"The model in '{base}' cannot be loaded")
    assert "\n" not in failed.message
    assert "Traceback" not in runs.log(tiny, failed.id)


def test_more_tokens_than_the_base_can_read_are_refused_or_explained(tiny: Store, tmp_path: Path) -> None:
    rows = [{**row, "chosen": row["chosen"] * 100} for row in tiny_rows()]
    keep(tiny, stage(tiny, write_rows(tmp_path / "long.jsonl", rows)), "long")
    try:
        config = configured("quick", dataset="long", epochs=0.1, batch_size=1, max_length=1024)
        told = ended(tiny, runs.start(tiny, config)).message
    except BadInput as error:
        told = str(error)
    assert "512 tokens" in told


def test_a_run_survives_the_death_of_the_process_that_started_it(tiny: Store) -> None:
    start = """
import json, sys
from pathlib import Path
from rlhf_app.store import Store
from rlhf_app.training import runs
from rlhf_app.training.config import configured
print(runs.start(Store(Path(sys.argv[1])), configured("quick", **json.loads(sys.argv[2]))).id, flush=True)
sys.stdin.read()
"""
    words = [sys.executable, "-c", start, str(tiny.home), json.dumps(SHORT)]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        run = runs.get(tiny, parent.stdout.readline().strip())
        assert run.alive
        os.killpg(parent.pid, signal.SIGKILL)
    assert ended(tiny, run).state == "finished"


def test_looking_at_runs_while_one_starts_breaks_nothing_and_never_tells_of_an_interruption(tiny: Store) -> None:
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.update(run.state for run in runs.every(tiny))

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        started = [runs.start(tiny, configured("quick", **LONG)) for _ in range(8)]
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()
    assert len(started) == 8
    assert "interrupted" not in seen
