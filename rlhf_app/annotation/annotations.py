"""Judge comparisons: annotate, undo, what one annotator has done, and the guidelines to judge by."""

from dataclasses import dataclass

from .. import annotation_log
from ..data.cells import clean
from ..data.comparisons import get
from ..errors import BadInput
from ..records import CHOICES, Annotation, Choice
from ..store import Store

LONGEST_NAME = 80
LONGEST_NOTE = 4000
LONGEST_GUIDELINES = 20_000


@dataclass(frozen=True)
class Done:
    """How much of a dataset one annotator has judged, and how much anybody has."""

    mine: int
    anyone: int
    total: int


def annotator_name(name: str) -> str:
    """Return a name to sign judgements with. Raises BadInput."""
    name = " ".join(clean(name or "").split())
    if not name:
        raise BadInput("Write your name first; your judgements are stored under it.")
    if len(name) > LONGEST_NAME:
        raise BadInput(f"The name is longer than {LONGEST_NAME} characters.")
    return name


def annotate(
    store: Store, dataset: str, comparison_id: str, annotator: str, choice: Choice, note: str = ""
) -> Annotation:
    """Write a judgement to disk and return it. Raises NotFound and BadInput."""
    if choice not in CHOICES:
        raise BadInput(f"'{choice}' is no choice; it is one of {', '.join(CHOICES)}.")
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"The note is longer than {LONGEST_NOTE:,} characters.")
    annotation = Annotation(comparison_id, annotator_name(annotator), choice, note=note)
    get(store, dataset, comparison_id)
    with store.annotations() as db:
        annotation_log.append(db, dataset, [annotation])
    return annotation


def undo(store: Store, dataset: str, annotator: str) -> Annotation:
    """Take the annotator's last judgement in this app back and return it. Raises BadInput when there is none."""
    with store.annotations() as db:
        undone = annotation_log.undo_last(db, dataset, annotator_name(annotator))
    if undone is None:
        raise BadInput("There is nothing to undo: you have judged nothing here.")
    return undone


def annotations(store: Store, dataset: str) -> list[Annotation]:
    """Return the judgements that count, oldest first. Raises NotFound."""
    store.dataset(dataset)
    with store.annotations() as db:
        return annotation_log.current(db, dataset)


def done(store: Store, dataset: str, annotator: str) -> Done:
    """Return how far an annotator is. Raises NotFound."""
    values = {"dataset": dataset, "annotator": annotator}
    with store.comparisons(dataset) as db:
        total = db.execute("SELECT count(*) FROM comparisons").fetchone()[0]
        mine = db.execute(
            "SELECT count(DISTINCT comparison_id) FROM judged.annotations"
            " WHERE dataset = :dataset AND annotator = :annotator AND undone = 0",
            values,
        ).fetchone()[0]
        anyone = db.execute("SELECT count(*) FROM judged.verdicts WHERE dataset = :dataset", values).fetchone()[0]
    return Done(mine, anyone, total)


def guidelines(store: Store, dataset: str, default: str) -> str:
    """Return what annotators of a dataset should go by, in Markdown. Raises NotFound."""
    path = store.dataset(dataset) / "guidelines.md"
    return path.read_text(encoding="utf-8") if path.exists() else default


def set_guidelines(store: Store, dataset: str, text: str) -> None:
    """Keep a dataset's guidelines. Raises NotFound and BadInput."""
    if len(text) > LONGEST_GUIDELINES:
        raise BadInput(f"The guidelines are longer than {LONGEST_GUIDELINES:,} characters.")
    path = store.dataset(dataset) / "guidelines.md"
    temporary = path.with_name(".guidelines.md")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
