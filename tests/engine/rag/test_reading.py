"""Which stretches of what was found a reader is given."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.alike import Meanings
from engine.rag.reading import STRETCHES, WORDS, likeliest, stretches
from tests.builders import a_passage

MEANINGS = Meanings(
    {"vacation": 0, "holiday": 1, "parking": 2},
    np.array([[127, 0], [102, 76], [0, 127]], np.int8),  # a holiday is 0.8 of a vacation
)
PAGE = """# Time off
Everybody needs time away from work.
## Holiday
Everybody earns 27 days a year.
## Illness
Tell your supervisor before ten.
"""
SENTENCES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=30).map(lambda words: " ".join(words) + ".")
LINES = st.lists(SENTENCES | st.sampled_from(["# Title", "## Leave", "### Sick pay"]), max_size=30)


def texts(text: str, *, title: str = "Time off") -> list[tuple[str, str]]:
    return [(each.heading, each.text) for each in stretches(a_passage(text, title=title))]


def test_a_short_passage_is_one_stretch_under_its_first_heading() -> None:
    assert texts(PAGE) == [(
        "Time off",
        "Everybody needs time away from work.\nHoliday:\nEverybody earns 27 days a year.\nIllness:\n"
        "Tell your supervisor before ten.",
    )]


def test_a_long_one_goes_on_with_the_last_sentence_of_the_one_before() -> None:
    long = [f"Rule {n} says {'a lot ' * 15}about it." for n in range(6)]
    (_, first), (_, second), *_ = texts("## Rules\n" + " ".join(long))
    assert first.splitlines()[-1] == second.splitlines()[0]
    assert {heading for heading, _ in texts("## Rules\n" + " ".join(long))} == {"Time off. Rules"}


def test_a_heading_begins_another_once_there_is_enough() -> None:
    enough = "word " * 50
    assert texts(f"## One\n{enough}.\n## Two\nMore.") == [
        ("Time off. One", f"{enough}."), ("Time off. Two", "More."),
    ]


@given(LINES)
def test_nothing_of_a_passage_is_left_out(lines: list[str]) -> None:
    read = "\n".join(text for _, text in texts("\n".join(lines), title="Title"))
    assert all(line in read for line in lines if not line.startswith("#"))


@given(LINES)
def test_a_stretch_is_as_long_as_it_may_be_unless_one_sentence_is_longer(lines: list[str]) -> None:
    longest = max((len(line.split()) for line in lines), default=0)
    for _, text in texts("\n".join(lines)):
        assert len(text.split()) <= WORDS + 2 * longest


def test_those_come_first_that_say_what_is_asked_in_whatever_words() -> None:
    pages = [a_passage(f"## {word}\nAbout {word}.", title="") for word in ("parking", "wifi", "holiday")]
    best = likeliest("how much vacation?", pages, MEANINGS)
    assert next(each.heading for each in best) == "holiday"
    assert next(each.heading for each in likeliest("and the parking?", pages, MEANINGS)) == "parking"


def test_of_equal_ones_the_better_passage_comes_first_and_few_are_read() -> None:
    pages = [a_passage(f"Page {n}.", title="") for n in range(9)]
    assert [each.text for each in likeliest("gym?", pages, MEANINGS)] == [f"Page {n}." for n in range(STRETCHES)]
    assert likeliest("gym?", [], MEANINGS) == []
    assert likeliest("", [a_passage("")], MEANINGS) == []
