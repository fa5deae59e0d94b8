"""Stock lines of hosted services: never seen, and never mistaken for talk about them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.deflection import DeflectionGuard
from engine.guards.lines import FIRM_LATIN
from engine.guards.verdict import Flag, Reroute
from engine.messages import Found
from engine.ports import Reasoning, Text
from tests.engine.guards.screens import CUTS, cut, letters, watch
from tests.engine.guards.test_refusal import Scores, Told

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


UNSEEN = [
    "My apologies, the material you ask about is restricted. Shall we turn to another matter?",
    "I am not allowed to go into this. You can begin a new session.",
    "This answer was recalled by the system. You may start a fresh conversation.",
    "Unfortunately, the remaining part of the answer has been taken down.",
    "In accordance with the relevant regulations, no answer is given to this query.",
    "Time for a change of topic! Ask me for a recipe, a poem or a piece of code.",
    "这类话题在本平台不作讨论！写代码、改文章我都很乐意帮忙。",
    "抱歉，这个问题我不能讨论，换个问题试试吧。",
    "刚才生成的文字已经清除。欢迎提出其他方面的疑问。",
    "Эта тема здесь не обсуждается. Задайте, пожалуйста, другой вопрос.",
]
TALK = [
    "Let's talk about the second point: the budget. It was removed from the answer of the supplier in May 2024.",
    "The rest of the content is on the wiki. This topic is covered in chapter three.",
    "In clause 3.2 it marks work which the fixed price does not cover, beyond the scope of this agreement.",
    "Sorry for the wait! Your question is a good one, and the answer is four weeks.",
    "Under the relevant regulations, the company must keep invoices for ten years.",
    "这类内容需要法务审批，然后就可以公开发布。",
    "根据有关规定，公司应当提前三十天通知员工。",
    "The customer writes that he only ever got the reply \"I am not allowed to go into this.\" and nothing else.",
    "Add this line to the file:\n\n```\nMy apologies, I must stop the current output here.\n```\nThen run the suite.",
]


@pytest.mark.parametrize("line", UNSEEN)
@pytest.mark.parametrize("lead", ["", "The plan has three parts. ", "第一点是这样的。", "It is like this:\n\n"])
async def test_a_line_that_nobody_has_listed_is_known_by_its_form(lead: str, line: str) -> None:
    for pieces in ([lead + line], letters(lead + line)):
        seen = await watch(pieces, DeflectionGuard())
        assert seen.tripped == "canned_line"
        assert lead.rstrip().startswith(seen.text)


WHOLE = [
    "Time for a change of topic!",
    "Let's switch the subject.",
    "I would rather talk about something lighter.",
    "Please choose another topic.",
    "This is too delicate a subject for our service.",
    "Such a question is not appropriate for this platform.",
    "Oh dear, such a subject is far too touchy for this chat.",
    "Excuse me, that theme is a bit too sensitive to discuss here.",
    "Erm, these topics are unsuitable for our platform.",
    "还是换个轻松的话题吧！",
    "请您换一个问题。",
    "嗯，咱们聊点别的。",
    "该话题不适合在本平台讨论。",
    "您问的问题过于敏感，不宜在此展开。",
    "我們還是聊聊別的吧。",
    "請換一個主題。",
    "這個話題太敏感，不適合在這裡討論。",
    "很抱歉，此議題在本平台不便討論。",
]
CUT_SHORT = [
    "", "The plan has three parts. ", "第一点是这样的。", "documented in incommun", "in instruction. T", "rooted ",
    "各方面",
]
REPORTED = [
    "The bot said: Time for a change of topic!",
    "The bot answered: Excuse me, such a theme is too sensitive for this platform!",
    "Translation: Let's change the subject.",
    "In English: This topic is too delicate for our service.",
    "Macro 4, off-topic requests:\n\nThis question is not suitable for our service.",
    "Useful phrases in meetings:\n\n- Let's change the subject.\n- Time for a change of topic.\n- Please pick another"
    " topic.",
    "Anna: Let's change the subject.\nBen: Which one?",
    "Their podcast is called Time for a Change of Topic.",
    "And then he said Let's change the subject.",
    "客服回复：这个话题太敏感，不适合在这里讨论。",
    "译文：还是换个轻松的话题吧！",
    "她回覆：這個問題不適合在本平台討論。",
    "例如：\n1. 请换一个问题。\n2. 我们聊点别的吧。",
]
NAMED = [
    "Time for a change of topic: next, the budget.",
    "Let's change topic: the budget is due on Friday.",
    "Please choose another topic for the thesis, one with data.",
    "This topic is not covered in the handbook; ask HR.",
    "This question is not appropriate for the survey, so it was dropped.",
    "Would you like to move on to another topic?",
    "That topic is too broad for one page, so I split it.",
    "我们换个话题，先看预算。",
    "这个问题不适合用邮件讨论，请约一次会。",
    "會議記錄：換個話題，接下來談預算。",
    "這個題目不適合初學者。",
    "这样做，非常方便，很多人都在用，请您放心。",
]


@pytest.mark.parametrize("line", WHOLE)
@pytest.mark.parametrize("lead", CUT_SHORT)
async def test_to_change_the_subject_or_to_call_it_unfit_is_a_deflection_by_itself(lead: str, line: str) -> None:
    if lead == "in instruction. T" and line.startswith("I "):
        return                              # "TI" is no word of its own
    for pieces in ([lead + line], letters(lead + line)):
        seen = await watch(pieces, DeflectionGuard())
        assert seen.tripped == "canned_line"
        assert all(lead.startswith(step) for step in seen.steps)


@pytest.mark.parametrize("text", [*REPORTED, *NAMED])
async def test_who_reports_such_words_or_goes_on_to_another_subject_deflects_nothing(text: str) -> None:
    for lead in ("", "The plan has three parts.\n\n", "第一点是这样的。\n\n"):
        for pieces in ([lead + text], letters(lead + text)):
            seen = await watch(pieces, DeflectionGuard())
            assert (seen.text, seen.tripped) == (lead + text, "")


async def test_a_colon_does_not_vouch_for_what_is_said_after_its_paragraph() -> None:
    text = "The bot said: hello.\n\nIt has two phrases:\n- Good morning.\n- Good night.\n\n"
    seen = await watch(letters(text + "Let's switch the subject."), DeflectionGuard())
    assert (seen.tripped, seen.text) == ("canned_line", text.rstrip())


@pytest.mark.parametrize("answer", ["The bot said: Good morning to all of the incommun", "译文：各方面的贫富差"])
async def test_nor_for_what_a_service_pastes_in_behind_it(answer: str) -> None:
    seen = await watch(letters(answer + "Sorry, this answer was recalled by the system."), DeflectionGuard())
    assert (seen.tripped, seen.text) == ("canned_line", answer)


OPENED = [
    ("rooted ", "Hm, I am not allowed to go into this. You can begin a new session."),
    ("rooted ", "Ahem, this answer was recalled by the system. You may start a fresh conversation."),
    ("close-talking results with those ", "Oh dear, the remaining part of the answer has been taken down."),
    ("of instruction. T", "Sorry, the material you ask about is restricted. Shall we turn to another matter?"),
    ("of the N", "Unfortunately, the remaining part of the answer has been taken down."),
    ("导致异化、", "实在抱歉，余下的部分被系统隐藏了！让我们保持友善积极的对话。"),
    ("包括工资，", "非常抱歉，这个问题我不能讨论，换个问题试试吧。"),
    ("包括工资、", "真的很抱歉，刚才生成的文字已经清除。"),
    ("他们往往住在", "十分遗憾，该内容无法展示，敬请谅解。"),
    ("包括薪資，", "實在抱歉，剩餘的內容已被系統隱藏！"),
    ("包括薪資、", "不好意思，這個話題我不便討論，換個話題吧。"),
    ("往往住在，", "唉，此类问题本平台不予回答。"),
]


@pytest.mark.parametrize(("answer", "line"), OPENED)
async def test_the_interjection_or_apology_that_opens_a_pasted_line_is_held_with_it(answer: str, line: str) -> None:
    for pieces in ([answer + line], letters(answer + line), [answer, line[:2], line[2:]]):
        seen = await watch(pieces, DeflectionGuard())
        assert seen.tripped == "canned_line"
        assert all(answer.startswith(step) for step in seen.steps)


@pytest.mark.parametrize("text", TALK)
async def test_talk_about_such_things_passes(text: str) -> None:
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, DeflectionGuard())
        assert (seen.text, seen.tripped) == (text, "")


async def test_the_classifier_is_asked_about_a_doubtful_form_with_all_that_was_said() -> None:
    text = "Leave is 30 days. Shall we turn to another matter?"
    asked: list[tuple[str, str]] = []
    assert (await watch([text], DeflectionGuard(Told(Scores(deflection=0.1), asked)))).text == text
    assert ("how so?", text) in asked
    seen = await watch(letters(text), DeflectionGuard(Told(Scores(deflection=0.9), [])))
    assert (seen.tripped, seen.text) == ("canned_line", "Leave is 30 days.")


async def test_an_answer_without_a_thought_from_a_model_that_thinks_is_more_suspicious() -> None:
    line = "Sorry, let us change the subject."
    assert (await watch([line], DeflectionGuard(threshold=0.85))).text == line
    thinking = DeflectionGuard(threshold=0.85, expects_reasoning=True)
    assert (await watch([line], thinking)).tripped == "canned_line"
    stream = thinking.open("how so?", Found())
    await stream.feed(Reasoning("They want to talk about something else."))
    assert (await stream.feed(Text(line))).verdict is None
    assert (await stream.close()).verdict is None


async def test_ascii_escaped_chinese_in_json_in_json() -> None:
    line = "你好，这个问题我暂时无法回答，让我们换个话题再聊聊吧。"
    raw = json.dumps({"tool": json.dumps({"text": "各方面的贫富差" + line})})
    for pieces in ([raw], letters(raw)):
        seen = await watch(pieces, DeflectionGuard())
        assert seen.tripped == "canned_line"
        assert json.dumps(json.dumps("各方面的贫富差")[1:-1])[1:-1] in (seen.text if len(pieces) > 1 else raw)
        assert len(seen.text) <= raw.index(json.dumps(json.dumps(line)[1:-1])[1:-1])


PARTS = st.sampled_from([
    *LINES, *UNSEEN, *TALK, *WHOLE, *REPORTED, *(line[:9] for line in LINES), *ORDINARY,
    *(form.format(LINES[0]) for form in QUOTED),
    " ", "\n", "\n\n",
    ". ", "。", "，", ", ", '"', "“", "”", "`", "```", "\n```\n", "> ", "'", "’", "Sorry, ", "让我们", "抱歉，",
    "ab", "AB", "AT", "Hm, ", "很", "非常", "、", ": ", "：", "12", "\ud800", "\u200b", "*",
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
    "THE API OF AN HTTPServer, OR SO. PDFs and IDs: HM, WE ASK HR. AND THAT IS ALL. OH WELL. " * 4,
    "这样做，非常方便，很多人在用，不过也有例外，实在不行还可以找人事，对此请您放心，真的不难。" * 6,
    "They went to the ER, only to learn weeks later that no doctor there was in the network of their plan. " * 4,
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
