"""Cross-validation: every row is judged by a classifier that never saw its source, or its model.

What belongs together is left out together: an answer's source (SpeechMap's by model family, since it is one source
of many models), written lines by line, and the attacks of one collection. Harmless inbound texts of sources that
have nothing else are left out by text, or no fold would know what harmless texts look like. Rows of the training
part that repeat a held-out question are not left out: what is measured is another model's answer to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from adapters.evaluation.rows import Row, checksum
from adapters.evaluation.training import (
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

FOLDS: Final = 5
LEARNED: Final = ("allow", "block", "ok", "deflection", "refusal")
_MIXED: Final = ("original", "meta-llama/PurpleLlama", "18F/handbook", "written")


def held_out(rows: Sequence[Row], folds: int = FOLDS, *, by: str = "source") -> Iterator[tuple[Classifier, list[Row]]]:
    """A classifier for each fold, and the rows that it has not seen. Takes some minutes.

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
    corpus = Corpus.of(rows)
    for fold in range(folds):
        answers = [
            answer for answer in corpus.answers if at.get(answer.row.id, at.get(_origin(answer.row.id), -1)) != fold
        ]
        texts = [(row, reading) for row, reading in corpus.texts if at.get(row.id, -1) != fold]
        harming = Harming.of([row for row in rows if at[row.id] != fold])
        yield classifier(Outbound.of(corpus, answers), Asked.of(texts), harming), [
            row for row in rows if at[row.id] == fold
        ]


def _origin(id_: str) -> str:
    """The row that a part was cut from."""
    return id_.rsplit("-", maxsplit=1)[0]


def _key(row: Row, attacks: set[str]) -> str:
    if row.outbound:
        return kept_together(row) if row.free else f"licence-bound {row.source}"
    return row.source if row.source in attacks else f"text {checksum(row.text[:80]) % 20}"
