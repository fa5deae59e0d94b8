"""`bartizan guard eval`: a chain of guards, measured on a folder of labelled rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from adapters.evaluation.crossed import held_out
from adapters.evaluation.measures import TARGETS, Report, Scored, Target, measured
from adapters.evaluation.rows import Row, load
from engine.guards.classifier import Classifier
from engine.guards.deflection import Lines
from engine.guards.features import unwrapped
from engine.guards.page import Page

Judge: TypeAlias = Callable[[Row], Awaitable[Mapping[str, float]]]
"""What a chain makes of one row: a score for each category that it judges, 0..1 and monotone in suspicion."""


def alone(classifier: Classifier) -> Judge:
    """The classifier and the known lines, with no other guard."""

    async def judge(row: Row) -> Mapping[str, float]:
        if not row.outbound:
            asked = classifier.inbound(row.text)
            return {"injection": asked.injection, "unsafe": asked.unsafe, "political": asked.political}
        said = classifier.outbound(row.prompt, row.text)
        lines, page = Lines(), Page()
        page.turn(unwrapped(row.text), final=True)
        lines.read(page)
        known = 1.0 if lines.found >= 0 else 0.0
        return {"deflection": max(known, said.deflection), "refusal": said.refusal, "narrative": said.narrative}

    return judge


def _next(folds: Iterator[tuple[Classifier, list[Row]]]) -> tuple[Classifier, list[Row]] | None:
    """The next fold; a thread cannot raise `StopIteration`."""
    return next(folds, None)


async def evaluate(
    folder: Path,
    chain: Callable[[Classifier], Judge] = alone,
    *,
    classifier: Classifier | None = None,
    by: str = "source",
    targets: Mapping[str, Target] = TARGETS,
) -> Report:
    """Measure a chain on the rows of ``folder`` (those of its ``train`` folder are only learned from).

    With no ``classifier`` each row is judged by one that was trained without its source or its question (``by``,
    see `held_out`); that takes minutes, in a thread of its own. With one, its own training rows are among those it is
    measured on.
    Raises `FileNotFoundError` and `ValueError` as `load` and `held_out` do.
    """
    rows = await asyncio.to_thread(load, folder)
    scored: list[Scored] = []
    if classifier is not None:
        judge = chain(classifier)
        scored = [(row, await judge(row)) for row in rows if not row.folder]
        note = "The weights as they ship; of rows that they learned from, this is no forecast for others."
    else:
        folds = held_out(rows, by=by)
        while (fold := await asyncio.to_thread(_next, folds)) is not None:
            trained, unseen = fold
            judge = chain(trained)
            scored += [(row, await judge(row)) for row in unseen if not row.folder]
        note = f"Leave-one-{by}-out cross-validation; thresholds from all harmless rows, pooled."
    return replace(await asyncio.to_thread(measured, scored, targets), note=note)
