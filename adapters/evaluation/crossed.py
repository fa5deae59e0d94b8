"""Cross-validation: every row is judged by a classifier that never saw its source, or its model.

What belongs together is left out together: an answer's source (SpeechMap's by model family, since it is one source
of many models), written lines by line, and the attacks of one collection. Harmless inbound texts of sources that
have nothing else are left out by text, or no fold would know what harmless texts look like. Rows of the training
part that repeat a held-out question are not left out: what is measured is another model's answer to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.evaluation.rows import Row, checksum
from adapters.evaluation.training import (
    Answer,
    Asked,
    Corpus,
    Harming,
    Outbound,
    alike,
    classifier,
    kept_together,
    parted,
)
from engine.guards.classifier import Classifier
from engine.guards.features import Reading

FOLDS: Final = 5
LEARNED: Final = ("allow", "block", "ok", "deflection", "refusal")
_MIXED: Final = ("original", "meta-llama/PurpleLlama", "18F/handbook", "written")


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows that are judged, and what the one that judges them is taught."""

    judged: list[Row]
    answers: list[Answer]
    texts: list[tuple[Row, Reading]]
    others: list[Row]           # all rows that are not judged


def held_out(rows: Sequence[Row], folds: int = FOLDS, *, by: str = "source") -> Iterator[tuple[Classifier, list[Row]]]:
    """A classifier for each fold, and the rows that it has not seen, see `apart`. Takes some minutes."""
    corpus = Corpus.of(rows)
    for fold in apart(rows, corpus, folds, by=by):
        taught = classifier(Outbound.of(corpus, fold.answers), Asked.of(fold.texts), Harming.of(fold.others))
        yield taught, fold.judged


def apart(rows: Sequence[Row], corpus: Corpus, folds: int = FOLDS, *, by: str = "source") -> Iterator[Fold]:
    """Every row is judged in one fold.

    ``by`` is ``source`` (everything of a source is left out together) or ``question`` (all answers to a question, each
    stock line, and inbound texts one by one: new rows of the kinds that are known). Raises `ValueError` where there
    is too little to learn from.
    """
    count = Counter(row.label for row in rows)
    if few := [f"{count[label]} {label}" for label in LEARNED if count[label] < folds]:
        raise ValueError(f"too few rows to learn from: {', '.join(few)}; at least {folds} of each, or --shipped")
    by_source = by == "source"
    attacks = {row.source for row in rows if row.label == "block"} - set(_MIXED) if by_source else set()
    keys = [_key(row, attacks) if by_source else alike(row) for row in rows]
    at = dict(zip((row.id for row in rows), parted(keys, folds), strict=True))
    for fold in range(folds):
        yield Fold(
            [row for row in rows if at[row.id] == fold],
            [answer for answer in corpus.answers if at.get(answer.row.id, at.get(_origin(answer.row.id), -1)) != fold],
            [(row, reading) for row, reading in corpus.texts if at.get(row.id, -1) != fold],
            [row for row in rows if at[row.id] != fold],
        )


def _origin(id_: str) -> str:
    """The row that a part was cut from."""
    return id_.rsplit("-", maxsplit=1)[0]


def _key(row: Row, attacks: set[str]) -> str:
    if row.outbound:
        return kept_together(row) if row.free else f"licence-bound {row.source}"
    return row.source if row.source in attacks else f"text {checksum(row.text[:80]) % 20}"
