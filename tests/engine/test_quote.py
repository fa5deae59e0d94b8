"""What is quoted when no model speaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.policy import TEXTS
from engine.messages import Found
from engine.nothing import AWAY, NOTHING, SO_FAR
from engine.quote import LONGEST, excerpt, quote
from tests.builders import a_passage, found

PAGE = """# Annual leave

Everybody has thirty days of annual leave a year. Part-time colleagues have a part of it. Days that are left at the end
of the year can be taken until the end of March, and then they are gone; nobody is paid for them.

## Public holidays

They come on top. If one falls on a weekend, it is not made up for. Offices in other countries keep their own.

## Notice before annual leave

- Up to two days: tell your lead by the evening before.
- Three days to two weeks: ask ten working days ahead.
- Longer: ask eight weeks ahead.
"""


def test_the_quotation_begins_where_the_page_speaks_of_the_question() -> None:
    said = excerpt(PAGE, "how much notice before annual leave?")
    assert "ask ten working days ahead" in said
    assert "#" not in said
    assert len(said) <= LONGEST + 4


def test_words_right_under_their_heading_are_quoted() -> None:
    text = "# Hot work\n## Permit\nA permit is valid for four hours. A watch stays for one more.\n## Elsewhere\nNone."
    whole = "A permit is valid for four hours. A watch stays for one more.\n\n**Elsewhere**\n\nNone."
    assert excerpt(text, "how long is a permit valid?") == whole
    long = f"{text}\n{'The bench is marked with a line. ' * 20}"
    assert excerpt(long, "how long is a hot work permit valid?").startswith("A permit is valid for four hours.")


@pytest.mark.parametrize(("heading", "shown"), [
    ("## Paying", "**Paying**"), ("### Paying ##", "**Paying**"), ("## The `pay` table", "The `pay` table"),
    ("## *Paying*", "*Paying*"), ("## ", ""),
])
def test_what_the_next_section_says_stands_under_its_heading(heading: str, shown: str) -> None:
    said = excerpt(f"# Meals\nOpen from eleven.\n\n{heading}\n\nWith the badge.", "when are meals?")
    assert said == "\n\n".join(filter(None, ("Open from eleven.", shown, "With the badge.")))


def test_a_comment_in_code_is_no_heading() -> None:
    code = "Set the path:\n\n```\n# for everybody\nexport PATH\n```"
    assert excerpt(code, "how is the path set?") == code


def test_a_short_passage_is_quoted_whole() -> None:
    assert excerpt("Ten days. Ask your lead.", "notice?") == "Ten days. Ask your lead."


def test_each_quotation_has_its_mark_and_what_speaks_of_something_else_is_left_out() -> None:
    pages = [a_passage("Leave is lovely."), a_passage("Give notice before leave."), a_passage("Laptops are grey.")]
    said = quote(Found(tuple(pages), answers=True), "how much notice before leave?", connected=False)
    assert said.split("\n\n")[1:] == ["> Give notice before leave. [2]"]


def test_of_equals_the_better_found_one_is_quoted_first() -> None:
    said = quote(found(a_passage("Leave one."), a_passage("Leave two.")), "leave?", connected=False)
    assert said.split("\n\n")[1:] == ["> Leave one. [1]", "> Leave two. [2]"]


def test_a_wrapped_sentence_and_a_numbered_item_stay_whole() -> None:
    text = "Intro. " + "x " * 200 + ".\n\n1. Call the service\ndesk at once.\n2. Tell your lead.\n"
    assert excerpt(text, "service desk?").startswith("… 1. Call the service\ndesk at once.\n2. Tell your lead.")


def test_a_mark_behind_a_table_or_code_stands_by_itself() -> None:
    """In the last row it would be one cell too many, which nobody sees; behind a fence it would leave the code open."""
    said = [
        quote(found(a_passage(f"Days of leave:\n\n{block}\n")), "leave?", connected=False).split("\n\n")[1]
        for block in ("| Days | Leave |\n| --- | --- |\n| 5 | 27 |", "```\nleave --days\n```")
    ]
    assert said[0].endswith("> | 5 | 27 |\n>\n> [1]")
    assert said[1].endswith("> leave --days\n> ```\n>\n> [1]")


def test_code_is_quoted_with_its_comments() -> None:
    text = "# Deploy\n\nBy hand:\n\n```sh\n# as root\nmake deploy\n```"
    assert excerpt(text, "deploy by hand?") == text.removeprefix("# Deploy\n\n")


def test_code_that_is_cut_is_code_on_both_sides() -> None:
    steps = "\n\n".join(f"step {n} of the deployment, which takes its time." for n in range(40))
    said = excerpt(f"# Deploy\n\nBy hand:\n\n```sh\n{steps}\n```\n", "step 20?")
    assert said.startswith("…\n\n```\nstep")
    assert said.endswith("takes its time.\n```\n\n…")
    assert "step 20" in said


def test_nothing_found_is_said() -> None:
    assert quote(Found((a_passage(),), answers=False), "x", connected=False) == NOTHING["en"]
    assert quote(found(), "x", connected=True) == f"{AWAY['en']}{NOTHING['en']}"


def test_nothing_found_so_far_is_said_in_the_language_of_the_question() -> None:
    early = Found((a_passage(),), whole=False)
    assert "I have not read all of my pages yet." in quote(early, "x", connected=False)
    assert quote(early, "Wie viele Tage Urlaub habe ich?", connected=True) == f"{AWAY['de']}{SO_FAR['de']}"
    assert quote(Found(), "我有多少天年假？", connected=False) == NOTHING["zh"]
    assert NOTHING.keys() == SO_FAR.keys() == AWAY.keys() == TEXTS.keys()


@given(st.text(max_size=2000), st.text(max_size=100))
def test_any_text_is_quoted_word_for_word(text: str, question: str) -> None:
    said = excerpt(text, question)
    assert len(said) <= LONGEST + 4 or "```" in text or "~~~" in text       # a fence that is cut is closed
    for line in said.removeprefix("… ").removesuffix(" …").splitlines():
        assert line.strip() in text or line == "…"
