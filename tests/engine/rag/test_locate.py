"""A citation opens where the passage speaks of the question."""

from __future__ import annotations

from engine.rag.locate import best_anchor

TEXT = "# Leave\n\nAll about leave.\n\n## Notice\n\nFour weeks of notice, please.\n\n## Illness\n\nNone when ill."
ANCHORS = [(0, "leave"), (TEXT.index("## Notice"), "notice"), (TEXT.index("## Illness"), "illness")]


def test_it_opens_at_the_section_that_holds_the_question() -> None:
    assert best_anchor(TEXT, ANCHORS, ["how much notice before leave?"], "Leave") == "notice"
    assert best_anchor(TEXT, ANCHORS, ["and for an illness"], "Leave") == "illness"


def test_a_question_counts_for_more_than_those_before_it() -> None:
    notice = "how many weeks of notice, please?"
    assert best_anchor(TEXT, ANCHORS, ["and when I am ill?", notice], "Leave") == "illness"
    assert best_anchor(TEXT, ANCHORS, ["and after 15?", notice], "Leave") == "notice"


def test_nothing_in_common_opens_at_the_beginning() -> None:
    assert best_anchor(TEXT, ANCHORS, ["where is the canteen"]) == "leave"
    assert best_anchor(TEXT, [], ["anything"]) == ""
