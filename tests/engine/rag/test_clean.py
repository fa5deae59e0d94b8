"""What a page says, without its generator's tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.clean import MASK, masked, plain, shown

PIECES = st.lists(st.sampled_from([
    "{% page \"/leave\" %}", "{% channel \"ops\" %}", "{{ site.url }}", "<!-- no -->", "```\n{{ kept }}\n```\n",
    "`{{ x }}`", "{% comment %}", "{% endcomment %}", "words ", "\n", "](", "{%", "%}", "{{", "--", "`",
]), max_size=12).map("".join)


@given(PIECES | st.text())
def test_every_character_keeps_its_place(text: str) -> None:
    cleaned = masked(text)
    assert len(cleaned) == len(text)
    assert all(now in (was, MASK) for now, was in zip(cleaned, text, strict=True))
    assert cleaned.count("\n") == text.count("\n")


@pytest.mark.parametrize(("page", "seen"), [
    ("Ask in {% channel \"ops-help\" %}.", "Ask in ops-help."),
    ("See [it]({% page \"leave\" %}).", "See [it]()."),
    ("{% include \"a.html\" %}Text", "Text"),
    ("a {% comment %}old{% endcomment %} b<!-- c -->", "a  b"),
    ("`{{ value }}` and {{ site.url }}", "`{{ value }}` and "),
    ("```\n{% if x %}\n```\n{% if x %}", "```\n{% if x %}\n```\n"),
])
def test_tags_go_and_code_stays(page: str, seen: str) -> None:
    assert shown(masked(page)) == seen


def test_the_index_gets_words() -> None:
    page = "## A [link](https://a.example/b_(c)) and **bold**\n\n| a | b |\n| - | - |\n| 1 | <b>2</b> |"
    assert plain(page) == "A link and bold\na b\n1 2"
