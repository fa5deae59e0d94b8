"""The Home tab and the dialogs: within every limit of a view, whatever people and pages are called (S13, S15)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from adapters.slack import blocks as kit
from adapters.slack.home import EXPORT, FORGET, Home, Question, home_view
from adapters.slack.modals import (
    LONGEST,
    ask_modal,
    export_modal,
    forget_modal,
    forgotten_modal,
    question_of,
    told,
)
from tests.adapters.slack.limits import breaches
from tests.builders import NOON
from tests.hostile import HOSTILE

LONG = HOSTILE | HOSTILE.map(lambda text: text * 200)


def wrong(view: dict[str, Any]) -> list[str]:
    """What Slack would not take of a view."""
    found = [b for block in view["blocks"] for b in breaches([block], "text")]
    if not 0 < len(view["blocks"]) <= 100:
        found.append(f"{len(view['blocks'])} blocks")
    for name in ("title", "close", "submit"):
        if name in view and not 0 < len(view[name]["text"]) <= 24:
            found.append(name)
    return found + [s for s in kit.strings(view) if re.search(r"<[!@#]", s)]


@given(st.lists(LONG, max_size=30), st.lists(st.tuples(LONG, LONG), max_size=30), LONG)
def test_a_home_tab_is_taken_whatever_stands_in_it(texts: list[str], pairs: list[tuple[str, str]], url: str) -> None:
    questions = [Question(text, NOON, f"https://acme.slack.example/{url}") for text in texts]
    assert wrong(home_view(Home(questions, pairs, texts, "e" * 32, "f" * 32))) == []


@given(LONG, LONG)
def test_so_is_every_dialog(text: str, sentence: str) -> None:
    for view in (ask_modal("id", text), export_modal(text), forgotten_modal(sentence), forget_modal("id")):
        assert wrong(view) == []


def test_a_home_tab_lists_what_was_asked_and_what_may_be_read() -> None:
    asked = Question("how much  <notice>?", NOON, "https://acme.slack.example/p1")
    view = home_view(Home([asked], [("Language", "as you write")], ["everyone's pages"], "e1", "f1"))
    said = [b["text"]["text"] for b in view["blocks"] if "text" in b]
    assert said[1:] == snapshot([
        "Your recent questions",
        "how much &lt;notice&gt;?\n2026-03-02 · <https://acme.slack.example/p1|open>",
        "How I am set up",
        "*Language*: as you write",
        "What I may read to answer you",
        "• everyone's pages",
        "Your data",
        "What you write to me is stored encrypted, with a key that is yours alone. You can have a copy, or have me "
        "delete the key: then nobody can read it any more.",
    ])
    assert [(e["action_id"], e["value"]) for e in view["blocks"][-1]["elements"]] == [(EXPORT, "e1"), (FORGET, "f1")]


def test_a_stranger_is_told_so() -> None:
    view = home_view(Home())
    assert "You have not asked me anything yet." in str(view)
    assert "no pages are open to you" in str(view)
    assert "actions" not in {b["type"] for b in view["blocks"]}


def test_a_question_comes_back_with_its_id() -> None:
    view = ask_modal("id7", "Somebody said <!here>")
    field = view["blocks"][1]
    assert field["element"]["max_length"] == LONGEST
    sent = {"private_metadata": view["private_metadata"],
            "state": {"values": {field["block_id"]: {field["element"]["action_id"]: {"value": " why? "}}}}}
    assert (told(sent), question_of(sent)) == ("id7", "why?")


@pytest.mark.parametrize("view", [{}, {"state": {"values": {}}}, {"private_metadata": None, "state": {}}])
def test_a_dialog_of_another_kind_holds_no_question(view: dict[str, Any]) -> None:
    assert (told(view), question_of(view)) == ("", "")


def test_an_export_that_is_too_long_says_how_much_is_missing() -> None:
    view = export_modal("x" * 50_000)
    shown = sum(len(t["text"]) for b in view["blocks"][:-1] for e in b["elements"] for t in e["elements"])
    assert view["blocks"][-1]["elements"][0]["text"].startswith(f"{50_000 - shown:,} more characters")


def test_an_id_that_does_not_fit_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="limit 3000"):
        forget_modal("x" * 3_001)
