"""Stock lines of hosted services: never seen, and never mistaken for talk about them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.deflection import DeflectionGuard
from engine.guards.lines import FIRM_LATIN
from engine.guards.verdict import Flag, Reroute
from engine.messages import Found
from engine.ports import Reasoning, Text
from tests.engine.guards.screens import CUTS, cut, letters, watch

LINES = [
    "Sorry, that's beyond my current scope. Let's talk about something else.",
    "SORRY THAT\u2019S BEYOND MY CURRENT SCOPE",
    "Ｓｏｒｒｙ，ｔｈａｔ'ｓ ｂｅｙｏｎｄ ｍｙ ｃｕｒｒｅｎｔ ｓｃｏｐｅ．",
    "Sor\u200bry, that's bey\u00adond my cur\u2060rent scope.",
    "Let's talk about something else.",
    "Uh-oh! There was an issue connecting to Qwen2.5-Max.",
    "I'm not sure how to approach this type of question yet. Let's chat about math, coding, and logic problems!",
    "Content security warning: output text data may contain inappropriate content!",
    "Input data may contain inappropriate content.",
    "你好，这个问题我暂时无法回答，让我们换个话题再聊聊吧。",
    "你好，這個問題我暫時無法回答，讓我們換個話題再聊聊吧。",
    "这个问题我暂时无法回答，让我们换个话题再聊聊吧。",
    "这个问题我暂时无法回答。",
    "对不起，我还没有学会如何思考这类问题，我擅长数学、代码、逻辑类的题目，欢迎与我交流。",
    "作为一个人工智能语言模型，我还没学习如何回答这个问题，您可以向我问一些其它的问题。",
    "根据相关法律，这个问题不予以回答。",
    "让我们换个话题聊聊吧",
    "尊敬的用户您好，让我们换个话题再聊聊吧。",
]
LEADS = [
    "", "The plan has three parts. ", "第一点是这样的。", "It is like this:\n\n", "Well:\n- ", "**Note:** ",
    "1. One\n2. ", "\u3000",
]
SEAMS = ["The Chinese gover", "各方面的贫富差", "documented in incommun", "as of 2015 [[5", "an open \"quotation and "]
PASTED = [line for line in LINES if line.startswith(("Sorry, t", "Content")) or line[0] not in "SLＳI"]
QUOTED = [
    "It answered \"{}\" and nothing else.",
    "它说：“{}” 然后就结束了。",
    "The stock line is `{}`, as you see.",
    "For example:\n```\n{}\n```\nis such a line.",
    "For example:\n```text\n{}\n```",
    "> {}\n\nThat is what it said.",
    "「{}」是一句套话。",
    "'{}' is what it says.",
]
ORDINARY = [
    "I'm sorry, I cannot make it on Tuesday. Would Thursday at 10:00 work?",
    "很抱歉，因为行程冲突，我无法参加本周的活动，期待下次合作。",
    "Sorry, that's beyond my budget, but let's talk about something else than price: the terms.",
    "Let's talk about something else that matters: backups.",
    "Input data may contain inappropriate content, so the form filters it.",
    "这个问题我暂时无法回答完整，但可以先说三点。",
    "我们换个话题，说说预算。",
    "`finish_reason: content_filter` tells you that the upstream moderation stopped the answer.",
    "根据相关法律法规和政策，公司应当提前三十天通知。",
    "\"Let's change the topic and chat again.\"",
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("lead", LEADS)
async def test_a_line_trips_where_a_sentence_may_begin_and_none_of_it_is_seen(lead: str, line: str) -> None:
    for pieces in ([lead + line], letters(lead + line)):
        seen = await watch(pieces, DeflectionGuard())
        assert seen.tripped == "canned_line"
        assert all(lead.startswith(step) for step in seen.steps)
    assert seen.text == lead.rstrip()       # one letter at a time, all before it was


@pytest.mark.parametrize("line", PASTED)
@pytest.mark.parametrize("answer", SEAMS)
async def test_a_line_that_a_service_pasted_into_the_middle_of_a_word(answer: str, line: str) -> None:
    for pieces in ([answer + line], letters(answer + line)):
        seen = await watch(pieces, DeflectionGuard())
        assert seen.tripped == "canned_line"
        assert all(answer.startswith(step) for step in seen.steps)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("quotation", QUOTED)
async def test_a_quotation_is_no_deflection(quotation: str, line: str) -> None:
    text = quotation.format(line)
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, DeflectionGuard())
        assert (seen.text, seen.tripped) == (text, "")


@pytest.mark.parametrize("text", ORDINARY)
async def test_ordinary_sentences_pass(text: str) -> None:
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, DeflectionGuard())
        assert (seen.text, seen.tripped) == (text, "")


async def test_a_quotation_that_is_never_closed_was_none() -> None:
    line = "Sorry, that's beyond my current scope."
    for text in (f'He wrote "{line}\nAnd more.', f"```\n{line}", f"It is `{line}\n", f"So '{line}"):
        seen = await watch(letters(text), DeflectionGuard())
        assert seen.tripped == "canned_line"
        assert "Sorry" not in seen.text


async def test_half_a_line_at_the_end_is_enough() -> None:
    line = "I'm not sure how to approach this type of question yet"[: FIRM_LATIN + 12]
    assert (await watch([line], DeflectionGuard())).tripped == "canned_line"
    assert (await watch(["I'm not sure"], DeflectionGuard())).text == "I'm not sure"


async def test_a_json_answer_has_strings_and_no_quotations() -> None:
    seen = await watch(letters('{"text": "The country gover' + LINES[6] + '"}'), DeflectionGuard())
    assert (seen.tripped, seen.text) == ("canned_line", '{"text": "The country gover')


PARTS = st.sampled_from([
    *LINES, *(line[:9] for line in LINES), *ORDINARY, *(form.format(LINES[0]) for form in QUOTED), " ", "\n", "\n\n",
    ". ", "。", "，", ", ", '"', "“", "”", "`", "```", "\n```\n", "> ", "'", "’", "Sorry, ", "让我们", "抱歉，",
    "ab", "AB", "12", "\ud800", "\u200b", "*",
])


@given(st.lists(PARTS, max_size=10).map("".join), CUTS)
async def test_no_cut_changes_the_verdict_or_shows_more(text: str, cuts: list[int]) -> None:
    whole = await watch([text], DeflectionGuard())
    slow = await watch(letters(text), DeflectionGuard())
    seen = await watch(cut(text, cuts), DeflectionGuard())
    assert whole.tripped == slow.tripped == seen.tripped
    assert slow.text.startswith(seen.text)          # letter by letter, everything before the line comes out
    assert text.startswith(slow.text)
    if not whole.tripped:
        assert whole.text == slow.text == seen.text == text


@pytest.mark.parametrize("text", [
    "The handbook says that leave is 30 days a year. I think you should ask. Sorry for the wait! That's it. " * 4,
    "年假一般是三十天。我建议您提前两周申请。对于新员工，这个规定也适用。让我们看一个例子。" * 6,
])
async def test_ordinary_text_flows(text: str) -> None:
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    seen = await watch(pieces, DeflectionGuard())
    behind = [4 * (number + 1) - len(step) for number, step in enumerate(seen.steps[:-1])]
    assert seen.text == text
    assert max(behind) <= 40
    assert sum(behind) / len(behind) < 12


async def test_a_megabyte_in_one_piece() -> None:
    text = "Ask your lead at least 2 weeks before, says the handbook. " * 18_000
    assert (await watch([text], DeflectionGuard())).text == text
    assert (await watch([text + LINES[0]], DeflectionGuard())).tripped == "canned_line"


async def test_a_line_in_the_reasoning_is_flagged_once_and_the_answer_goes_on() -> None:
    stream = DeflectionGuard().open("?", Found())
    for piece in LINES[0]:
        scan = await stream.feed(Reasoning(piece))
        if scan.verdict:
            break
    assert scan.verdict == Flag("canned_line_in_reasoning", "deflection")
    assert (await stream.feed(Reasoning(LINES[0]))).verdict is None
    assert (await stream.feed(Text("Four weeks."))).safe == len("Four weeks.")
    assert (await stream.feed(Text(" " + LINES[0]))).verdict == Reroute("canned_line", "deflection", 1.0)
