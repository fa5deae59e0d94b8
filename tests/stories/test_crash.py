"""The crash proof in small, and proof that its judge sees what goes wrong. In full: `bench/crash.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.crash import Asked, Options, crash, judge
from tests.chat_server import Post

ASKED = [Asked("c0", 0), Asked("c0", 1), Asked("c1", 0)]


def answered(*asked: Asked) -> list[Post]:
    """A chat in which these were answered in this order."""
    return [
        Post(f"post {n}", a.conversation, a.id, f"trace {n}", a.expected, final=True, finals=1, place=n)
        for n, a in enumerate(asked, 1)
    ]


def counts(posts: Sequence[Post]) -> str:
    return str(judge(ASKED, posts))


def test_a_clean_chat_is_clean() -> None:
    assert counts(answered(*ASKED)) == "lost 0 duplicated 0 out-of-order 0"
    assert judge(ASKED, answered(ASKED[2], *ASKED[:2])).clean      # conversations do not wait for each other


def test_every_kind_of_damage_is_seen() -> None:
    assert counts([]) == "lost 3 duplicated 0 out-of-order 0"
    assert counts(answered(*ASKED, ASKED[0], ASKED[0])) == "lost 0 duplicated 2 out-of-order 0"
    assert counts(answered(ASKED[1], ASKED[0], ASKED[2])) == "lost 0 duplicated 0 out-of-order 1"
    assert counts(answered(*ASKED, Asked("c9", 9))) == "lost 0 duplicated 1 out-of-order 0"
    half, swapped, overtaken = answered(*ASKED), answered(*ASKED), answered(*ASKED)
    half[2].final = False
    assert counts(half) == "lost 1 duplicated 0 out-of-order 0"
    swapped[0].text, swapped[1].text = swapped[1].text, swapped[0].text
    assert counts(swapped) == "lost 0 duplicated 2 out-of-order 0"
    overtaken[0].place, overtaken[1].place = 2, 1       # posted in order, finished out of it
    assert counts(overtaken) == "lost 0 duplicated 0 out-of-order 1"


@pytest.mark.long
@pytest.mark.parametrize(("db", "replicas"), [("sqlite", 1), ("postgres", 1), ("postgres", 2)])
def test_nothing_is_lost_when_the_program_is_killed(tmp_path: Path, db: str, replicas: int) -> None:
    options = Options(db, events=180, kills=2, replicas=replicas, conversations=12)
    verdict, complaints = crash(options, tmp_path)
    assert (str(verdict), complaints) == ("lost 0 duplicated 0 out-of-order 0", [])
