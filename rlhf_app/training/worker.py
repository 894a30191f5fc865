"""The child process that trains one run: `python -m rlhf_app.training.worker RUN_FOLDER`.

It tells what it does as events. SIGTERM stops it: while training, after the step it is in, with the model kept.
"""

import fcntl
import logging
import math
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ..errors import AppError, BadInput
from ..records import now
from ..store import read_json, write_json
from . import events
from .config import TrainingConfig, from_dict
from .snapshot import read_pairs

log = logging.getLogger("worker")


EVALUATIONS = 6
"""How often the watched pairs are evaluated in a run."""


class Stopped(Exception):
    """SIGTERM came outside of training."""


class Signal:
    """SIGTERM, as a flag while training steps are made and as an exception elsewhere."""

    def __init__(self) -> None:
        self.came = False
        self.waits = False
        signal.signal(signal.SIGTERM, self.take)

    def take(self, *_: Any) -> None:
        self.came = True
        if not self.waits:
            raise Stopped


def main(folder: Path) -> int:
    """Train the run in this folder from beginning to end and return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    told = Signal()
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # held back by `spawn` until here
        take_turn(folder)
        events.append(folder, "preparing")
        ending = train(folder, from_dict(read_json(folder / "config.json")), told)
        events.append(folder, ending)
    except Stopped:
        events.append(folder, "stopped")
    except AppError as error:
        log.error("%s", error)
        events.append(folder, "failed", message=str(error))
        return 2
    except MemoryError:
        log.exception("Out of memory")
        events.append(folder, "failed", message="The memory did not suffice. Try a smaller batch or fewer tokens.")
        return 1
    except Exception as error:
        log.exception("Failed")
        message = f"{type(error).__name__}: {str(error)[:300]}. The log has the details."
        events.append(folder, "failed", message=message)
        return 1
    return 0


def take_turn(folder: Path) -> None:
    """Wait until no other run of this store is training. The kernel hands the turn on when a worker ends, however."""
    turn = os.open(folder.parent / ".turn", os.O_RDWR | os.O_CREAT)  # kept open for the life of the process
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("Another run is training; waiting for its end.")
        fcntl.flock(turn, fcntl.LOCK_EX)


def train(folder: Path, config: TrainingConfig, told: Signal) -> events.Kind:
    """Train, export, evaluate; return the event that ends the run."""
    log.info("Loading Transformers and TRL")
    from ..evaluation.report import evaluate_run
    from ..reward.base_models import locate
    from ..reward.libraries import transformers
    from ..reward.reward_model import load_network
    from .plan import check_length, flops_a_token
    from .trainer import PairTrainer, arguments, encode_pairs, freeze

    transformers().set_seed(config.seed)
    parts = read_pairs(folder / "pairs.parquet")
    network, tokenizer = load_network(locate(config.base))
    check_length(config, network.config)
    encoded = {part: encode_pairs(tokenizer, pairs, config.max_length) for part, pairs in parts.items()}
    trained = freeze(network, config.frozen_layers)
    callback = telling(folder, told)
    settings = arguments(config, str(folder / "checkpoints"))
    trainer = PairTrainer(
        network, settings, tokenizer, encoded["train"], encoded["validation"], callbacks=[callback]
    )  # fmt: skip
    truncated = {part: each.truncated for part, each in encoded.items()}
    callback.facts = {
        "device": str(settings.device),
        "precision": "bf16" if settings.bf16 else "fp32",
        "trained_parameters": trained,
        "truncated": truncated,
        "distinct_texts": len(encoded["train"].texts),
        "pairs": len(encoded["train"].pairs),
    }
    log.info("%s pairs to train on, %s texts longer than %s tokens", len(parts["train"]), truncated, config.max_length)
    told.waits = True
    begin = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - begin
    speed = trainer.tokens_seen * flops_a_token(network.config, config) / seconds
    in_training = trainer.margins(encoded["test"]).tolist()
    export(folder, config, trainer, tokenizer, speed)
    events.append(folder, "saved", step=trainer.state.global_step)
    told.waits = False
    if told.came:
        return "stopped"
    evaluate_run(folder, parts["test"], in_training)
    return "finished"


def telling(folder: Path, told: Signal) -> Any:
    """Return the callback that turns the trainer's progress into events, and SIGTERM into a stop."""
    from transformers import TrainerCallback

    class Telling(TrainerCallback):
        facts: dict[str, Any]

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.every = max(1, -(-state.max_steps // EVALUATIONS))
            events.append(folder, "started", total_steps=state.max_steps, pid=os.getpid(), **self.facts)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_evaluate = state.global_step % self.every == 0 or state.global_step == state.max_steps
            control.should_training_stop = control.should_training_stop or told.came

        def on_log(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            logs = rest["logs"]
            if not math.isfinite(logs.get("loss", 0.0)):
                raise BadInput(
                    f"Training diverged at step {state.global_step}: the loss is no number. Lower the learning rate."
                )
            if "train_runtime" in logs:
                return
            held_out = any(name.startswith("eval_") for name in logs)
            names = ("eval_loss", "eval_accuracy", "eval_margin") if held_out else ("loss", "accuracy", "margin",
                     "learning_rate", "grad_norm", "mean_reward")  # fmt: skip
            metrics = {name: float(logs[name]) for name in names if name in logs and logs[name] == logs[name]}
            rest = {} if held_out else {"pairs": logs.get("pairs", 0), "tokens": logs.get("num_tokens", 0)}
            events.append(folder, "evaluated" if held_out else "step", step=state.global_step, metrics=metrics, **rest)
            shown = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
            log.info("step %d/%d  %s", state.global_step, state.max_steps, shown)

    return Telling()


def export(folder: Path, config: TrainingConfig, trainer: Any, tokenizer: Any, speed: float) -> None:
    """Write the model under a temporary name, rename it, and write model.json last: its presence means whole."""
    log.info("Saving the model")
    temporary, target = folder / ".model", folder / "model"
    shutil.rmtree(temporary, ignore_errors=True)
    network = trainer.accelerator.unwrap_model(trainer.model)
    network.config.id2label, network.config.label2id = {0: "reward"}, {"reward": 0}
    tokenizer.model_max_length = config.max_length
    network.save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)
    write_json(
        folder / "model.json",
        {"created_at": now(), "base": config.base, "max_length": config.max_length, "steps": trainer.state.global_step,
         "flops_a_second": speed},
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
