"""Answers as Slack shows them: all of it, within every limit, and nothing that pings or leads astray.

Rows of the checklist: S13 (escapes), S14 (text beside blocks), S15 and S16 (lengths), S32 and S33 (links, button ids).
"""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from adapters.slack import blocks as kit
from adapters.slack.render import NO_BUTTONS, Buttons, Part, footer, passages, render, rendered
from engine.guards.egress import Cleared, Egress, Shown
from engine.harmless import harmless
from engine.messages import Answer, Citation, Passage, PassageId, TraceId, Trail
from tests.adapters.slack.limits import breaches, texts
from tests.builders import NOON, a_passage, an_answer
from tests.hostile import HOSTILE

PINGS = ["<!channel>", "<!here|here>", "<@U07ANN>", "<#C01>", "<!subteam^S1>", "&lt;!everyone&gt;", "<\u200b!here>",
         "`<!channel>`", "\\<!channel>", "<https://evil.example|wiki>", "[w](https://evil.example)", "@channel"]
MARKDOWN = st.lists(
    HOSTILE | st.sampled_from([
        *PINGS, "# Title\n", "- item\n", "  - deeper\n", "1. first\n", "> said\n", "```py\n", "```\n", "~~~\n",
        "| a | b |\n|---|--:|\n| 1 | 2 |\n", "\n\n", "    code\n", "**bold** _it_ ~~no~~ `c` ", "---\n",
        "[x]: https://wiki.example/a\n", "[x] ", "word " * 30, "漢" * 50, "👩‍👩‍👧" * 9, "e\u0301" * 30,
    ]),
    max_size=30,
).map("".join) | st.builds(
    lambda unit, n: unit * n, HOSTILE | st.sampled_from([*PINGS, "# h\n", "- i\n", "---\n\n", "| a |\n|-|\n\n"]),
    st.integers(1, 3_000),
)
BUTTONS = Buttons("g" * 64, "b" * 64, "s" * 64, "h" * 64, "a" * 64)


async def clear(text: str) -> Cleared:
    return await Egress((), str).notice(text)


async def shown(answer: Answer, note: str = "") -> Shown:
    return await Egress((), str).show(answer, Trail(TraceId("ab" * 16)), note)


def strings(parts: tuple[Part, ...]) -> list[str]:
    return [s for part in parts for s in [part.text, *kit.strings(part.blocks)]]


@given(MARKDOWN)
@example("")
@example(" \n\t\n")
@example("[x]: https://wiki.example/a\n")
@example("```\n" + "<!channel>\n" * 3_000)
@example("`" * 30_000)
@example("# a\n" * 5_000)
@example("a\n\n---\n\n# b\n\n" * 2_000)
@example("| a |\n|---|\n\n# b\n" * 2_000)
@example("> " * 9_000)
@example("a\u0301" + "\u0301" * 40_000)
@example("[x]" * 1_000 + "\n\n[x]: https://wiki.example/" + "a" * 2_900)
@example("|a" * 900 + "|\n" + "|-" * 900 + "|\n" + "|b" * 900 + "|\n")
@example("| a | b |\n|---|---|\n" + "| " + "x" * 500 + " | y |\n" * 300)
@settings(deadline=None)
async def test_s13_s15_s16_nothing_is_lost_nobody_is_pinged_and_slack_takes_it_all(text: str) -> None:
    parts = render(await clear(text), BUTTONS)
    assert "".join(part.source for part in parts) == harmless(text)
    assert [breach for part in parts for breach in breaches(part.blocks, part.text)] == []
    assert not [s for s in strings(parts) if re.search(r"<[!@#]", s)]
    assert not [part.text for part in parts if "<" in part.text or re.search(r"&(?!amp;|lt;|gt;)", part.text)]


@given(st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20), max_size=400), st.data())
@settings(deadline=None)
async def test_every_word_of_an_answer_is_read_in_its_order(each: list[str], data: st.DataObject) -> None:
    between = st.sampled_from([" ", "\n", "\n\n", "\n- ", "\n\n> ", "\n\n```\n", "\n\n## ", " **", "\n1. ", "\n\n    "])
    text = "".join(word + data.draw(between) for word in each)
    parts = render(await clear(text))
    told = " ".join(texts([block for part in parts for block in part.blocks]))
    at = 0
    for word in each:
        at = told.find(word, at)
        assert at >= 0, word


@given(st.text(max_size=3_000), st.text(max_size=3_000), HOSTILE, HOSTILE)
@settings(deadline=None)
async def test_s13_what_a_page_is_called_and_says_is_data(text: str, title: str, url: str, quote: str) -> None:
    sources = tuple(Citation(n, Passage(PassageId(f"p{n}"), quote, title, f"https://wiki.example/{url}", date=NOON))
                    for n in range(1, 14))
    answer = await shown(Answer(text or "x", sources), note=title)
    for parts in (render(answer, BUTTONS), passages(answer)):
        assert [breach for part in parts for breach in breaches(part.blocks, part.text)] == []
        assert not [s for s in strings(parts) if re.search(r"<[!@#]", s)]
        obeyed = [e["text"] for part in parts for b in part.blocks if b["type"] == "context" for e in b["elements"]]
        assert not [s for s in obeyed if re.search(r"<(?!https://wiki\.example/)", s) or s.count("<") != s.count(">")]


@pytest.mark.parametrize("ping", PINGS)
async def test_s13_no_way_of_writing_a_ping_is_more_than_letters(ping: str) -> None:
    (part,) = render(await clear(f"Look {ping} here"))
    elements = part.blocks[0]["elements"][0]["elements"]
    assert {e["type"] for e in elements} <= {"text", "link"}
    assert all(e["text"] == "w" or e["text"].startswith("https://evil") for e in elements if e["type"] == "link")
    assert "<" not in part.text


async def test_code_is_closed_and_opened_again_and_can_be_copied_as_it_was() -> None:
    lines = [f"<!-- line {n} --> {'x' * 60}" for n in range(400)]
    parts = render(await clear("Here:\n\n```html\n" + "\n".join(lines) + "\n```\n\nThat is all."))
    code = [e for part in parts for block in part.blocks for e in block.get("elements", ())
            if e["type"] == "rich_text_preformatted"]
    assert len(parts) > 1
    assert len(code) > 1
    assert "\n".join("".join(t["text"] for t in e["elements"]) for e in code).split("\n") == lines
    assert parts[-1].blocks[-1]["elements"][-1]["elements"][-1]["text"] == "That is all."


async def test_a_fence_inside_a_list_that_is_too_long_is_not_torn() -> None:
    text = "- how:\n\n  ```sh\n" + "".join(f"  echo {n} {'y' * 80}\n" for n in range(100)) + "  ```\n\n- done\n"
    parts = render(await clear(text))
    said = [e for part in parts for block in part.blocks for e in block["elements"]]
    assert [e for e in said if e["type"] != "rich_text_preformatted" and "echo" in str(e)] == []


async def test_a_family_stays_together() -> None:
    parts = render(await clear("👩‍👩‍👧" * 3_000))
    told = [e["text"] for part in parts for b in part.blocks for s in b["elements"] for e in s["elements"]]
    assert {t.replace("👩‍👩‍👧", "") for t in told} <= {"", "\n\n"}


async def test_only_the_first_table_of_a_message_is_slacks_own_and_none_where_it_is_not_known() -> None:
    table = "| a | b |\n|:--|--:|\n| 1 | 22 |\n\n"
    (part,) = render(await clear(table * 2))
    assert [block["type"] for block in part.blocks] == ["table", "rich_text"]
    assert part.blocks[0]["column_settings"] == snapshot(
        [{"align": "left", "is_wrapped": True}, {"align": "right", "is_wrapped": True}]
    )
    assert part.blocks[1]["elements"][0]["elements"][0]["text"] == "a  b\n-  --\n1  22"
    (part,) = render(await clear(table), tables=False)
    assert part.blocks[0]["type"] == "rich_text"


async def test_a_link_whose_label_names_another_site_says_where_it_leads() -> None:
    (part,) = render(await clear(
        "[https://bank.example](https://evil.example/x) [evil.example](https://evil.example) [docs](https://d.example) "
        "[click](javascript:alert) ![chart](https://d.example/c.png)"))
    links = [e for e in part.blocks[0]["elements"][0]["elements"] if e["type"] == "link"]
    assert [(link["text"], link["url"]) for link in links] == snapshot([
        ("https://bank.example (evil.example)", "https://evil.example/x"),
        ("evil.example", "https://evil.example"), ("docs", "https://d.example"), ("chart", "https://d.example/c.png"),
    ])


async def test_a_titles_hidden_characters_are_left_out() -> None:
    passage = a_passage(title="Pay\u202eroll\u200b & <b>\ufeff")
    unseen = a_passage(title="\u200b\u2060", url="/srv/leave.md")
    foot = footer(await shown(an_answer("Ten days [1].", passage, unseen)))
    assert foot == snapshot([{
        "type": "context",
        "elements": [
            {"type": "mrkdwn", "verbatim": True,
             "text": "[1] <https://wiki.acme.example/leave#notice|Payroll &amp; &lt;b&gt;> · 2026-03-02"},
            {"type": "mrkdwn", "verbatim": True, "text": "[2] Untitled · 2026-03-02"},
        ],
    }])


async def test_s14_passages_are_told_in_words_as_well() -> None:
    (part,) = passages(await shown(an_answer("Ten days [1].", a_passage("Give ten days.", title="Leave & <pay>"))))
    assert part.text == "*[1]* Leave &amp; &lt;pay&gt; · 2026-03-02\nGive ten days."


async def test_an_answer_as_a_whole() -> None:
    text = "# Leave\n\nGive **ten** days' notice [1]:\n\n1. write\n2. wait\n   - patiently\n\n> soon"
    answer = await shown(an_answer(text), note="No more is known.")
    (part,) = render(answer, Buttons("id1", "id2", "id3", None, "id4"))
    assert part.text == snapshot("Leave\nGive ten days' notice [1]:\n1. write\n2. wait\n  • patiently\nsoon")
    assert part.blocks == snapshot(
        [{"type": "header", "text": {"type": "plain_text", "text": "Leave", "emoji": False}},
         {"type": "rich_text",
          "elements": [{"type": "rich_text_section",
                        "elements": [{"type": "text", "text": "Give "},
                                     {"type": "text", "text": "ten", "style": {"bold": True}},
                                     {"type": "text", "text": " days' notice [1]:"}]},
                       {"type": "rich_text_list",
                        "style": "ordered",
                        "indent": 0,
                        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "write"}]},
                                     {"type": "rich_text_section", "elements": [{"type": "text", "text": "wait"}]}]},
                       {"type": "rich_text_list",
                        "style": "bullet",
                        "indent": 1,
                        "elements": [{"type": "rich_text_section",
                                      "elements": [{"type": "text", "text": "patiently"}]}]},
                       {"type": "rich_text_quote", "elements": [{"type": "text", "text": "soon"}]}]},
         {"type": "context",
          "elements": [{"type": "mrkdwn",
                        "text": "[1] <https://wiki.acme.example/leave#notice|Annual leave> · 2026-03-02",
                        "verbatim": True}]},
         {"type": "context", "elements": [{"type": "mrkdwn", "text": "No more is known.", "verbatim": True}]},
         {"type": "actions",
          "elements": [{"type": "button",
                        "text": {"type": "plain_text", "text": "Show sources", "emoji": False},
                        "action_id": "bartizan_show_sources",
                        "value": "id3"},
                       {"type": "button",
                        "text": {"type": "plain_text", "text": "Try again", "emoji": False},
                        "action_id": "bartizan_again",
                        "value": "id4"}]},
         {"type": "context_actions",
          "elements": [{"type": "feedback_buttons",
                        "action_id": "bartizan_feedback",
                        "positive_button": {"text": {"type": "plain_text", "text": "Good answer", "emoji": False},
                                            "accessibility_label": "This answer helped",
                                            "value": "id1"},
                        "negative_button": {"text": {"type": "plain_text", "text": "Bad answer", "emoji": False},
                                            "accessibility_label": "This answer did not help",
                                            "value": "id2"}}]}]
    )


async def test_no_buttons_and_no_sources_leave_nothing_below() -> None:
    assert footer(await shown(Answer("Hello", (), grounded=False)), NO_BUTTONS) == []


async def test_s33_an_id_that_slack_would_not_take_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="limit 2000"):
        render(await clear("x"), Buttons(sources="s" * 2_001))


async def test_a_long_answer_is_rendered_while_others_go_on() -> None:
    """S1: an acknowledgement has three seconds, and there may be twenty answers."""
    said = await clear("A paragraph with **bold** words, `code` and [a link](https://wiki.example).\n\n" * 300)
    rendering = asyncio.create_task(rendered(said, BUTTONS))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not rendering.done()
    assert await rendering == render(said, BUTTONS)
