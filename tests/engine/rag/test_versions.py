"""Pages that say different things about the same stand together, the newest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.messages import Passage
from engine.rag.versions import newest_first
from engine.rag.words import content_words
from tests.builders import NOON, a_passage

NOTICE = "Ask your lead for annual leave {} weeks before it begins, in the leave tool, and write it into the calendar."


def a_version(text: str, *, days: int, document: str) -> Passage:
    return replace(a_passage(text), date=NOON - timedelta(days), document=document)


def shown(*passages: Passage) -> list[str]:
    ids: dict[str, int] = {}
    words = [[ids.setdefault(word, len(ids)) for word in sorted(content_words(p.text))] for p in passages]
    return [passages[n].document for n in newest_first(passages, words)]


OLD = a_version(NOTICE.format("four"), days=900, document="archive/leave.md")
NEW = a_version(NOTICE.format("six"), days=3, document="wiki/leave.md")
OTHER = a_version("Sick people tell their lead before nine, and stay in bed.", days=1, document="wiki/sick.md")


def test_of_two_versions_that_disagree_the_newer_comes_first() -> None:
    assert shown(OLD, OTHER, NEW) == ["wiki/leave.md", "archive/leave.md", "wiki/sick.md"]


def test_versions_that_say_the_same_stay_where_they_are() -> None:
    copy = replace(OLD, document="wiki/leave.md", date=NEW.date)
    assert shown(OLD, OTHER, copy) == ["archive/leave.md", "wiki/sick.md", "wiki/leave.md"]


def test_nobody_can_tell_which_of_two_is_newer_without_their_dates() -> None:
    assert shown(OLD, OTHER, replace(NEW, date=None))[0] == "archive/leave.md"


def test_two_parts_of_one_page_are_no_versions_of_each_other() -> None:
    assert shown(OLD, OTHER, replace(NEW, document=OLD.document))[1] == "wiki/sick.md"


def test_digits_disagree_as_well() -> None:
    four, six = (replace(p, text=NOTICE.format(n)) for p, n in ((OLD, "4"), (NEW, "6")))
    assert shown(four, six) == ["wiki/leave.md", "archive/leave.md"]


VERSIONS = st.tuples(st.sampled_from(["four", "six", "10"]), st.integers(0, 3), st.sampled_from("abc"))


@given(st.lists(VERSIONS, max_size=6))
def test_nothing_is_lost_and_nothing_comes_twice(versions: list[tuple[str, int, str]]) -> None:
    passages = [a_version(NOTICE.format(number), days=days, document=name) for number, days, name in versions]
    assert sorted(newest_first(passages, [range(20)] * len(passages))) == list(range(len(passages)))
