"""What a company's policy makes of an answer, from the question to what stands in the room."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adapters.sql.decisions import Decisions
from adapters.sql.sealed import Keyring
from bot.guard import came_late
from bot.guards import Careful, Guards, load_classifier
from engine.guards.policy import Action, Category, Change, Layer, Policy
from tests.builders import a_passage, said
from tests.fakes import ScriptedModel, TestBot, a_bot

LEAVE = a_passage("Give ten working days' notice before annual leave. Your manager approves it within three days.")
GOOD = "Give ten working days' notice before annual leave [1]. "
BAD = "The cafeteria serves vegan lasagne on Fridays."
KEYS = Keyring(b"k" * 32)


def under(action: Action) -> Guards:
    """A bot whose policy does this about claims without support."""
    layer = Layer(changes={Category.UNGROUNDED: Change(action=action)}, texts={"en": "Not here. Ask about {trace}."})
    policy = cache(lambda: Policy((layer,)))
    return Guards(Careful(policy), KEYS.fingerprint, load_classifier())


async def recorded(bot: TestBot, trace: str) -> list[tuple[str, str]]:
    told = await Decisions(bot.database, KEYS).why(trace)
    return [(d["guard"], d["action"]) for d in told["decisions"] if d["guard"] == "grounding"]


async def test_a_claim_without_a_page_is_marked_where_it_stands(tmp_path: Path) -> None:
    model = ScriptedModel([[GOOD, BAD]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE], guards=under(Action.MASK)) as bot:
        post = await bot.hears(said())
        assert await recorded(bot, post.trace) == [("grounding", "mask")]
    assert post.text == f"{GOOD}{BAD} *(unsupported)*"


async def test_or_the_answer_is_refused_and_not_a_word_of_it_was_seen(tmp_path: Path) -> None:
    model = ScriptedModel([[GOOD, BAD]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE], guards=under(Action.REFUSE)) as bot:
        post = await bot.hears(said())
        assert await recorded(bot, post.trace) == [("grounding", "refuse")]
    assert post.text == f"Not here. Ask about {post.trace}."
    assert not any("notice" in seen or "lasagne" in seen for seen in post.seen)


async def test_what_a_page_says_is_shown_under_the_strictest_policy(tmp_path: Path) -> None:
    model = ScriptedModel([[GOOD]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE], guards=under(Action.REFUSE)) as bot:
        post = await bot.hears(said())
        assert await recorded(bot, post.trace) == [("grounding", "allow")]
    assert (post.text, post.sources) == (GOOD.strip(), ["Annual leave"])


async def test_when_all_models_deflect_the_companys_sentence_stands_with_its_trace_once(tmp_path: Path) -> None:
    script = ScriptedModel([["Sorry, that's beyond my current scope. Let's talk about something else."]])
    async with a_bot(tmp_path, model=script, passages=[LEAVE], guards=under(Action.FLAG)) as bot:
        post = await bot.hears(said())
    assert post.text == f"Not here. Ask about {post.trace}."


@dataclass(frozen=True, slots=True)
class Scores:
    injection: float = 0.0
    unsafe: float = 0.0
    political: float = 0.0
    deflection: float = 0.0
    refusal: float = 0.0
    narrative: float = 0.0


@dataclass(frozen=True, slots=True)
class OfficialLine:
    """A classifier that finds politics in every question about the strait, and a narrative in what praises progress."""

    def inbound(self, text: str) -> Scores:
        return Scores(political=float("strait" in text))

    def outbound(self, question: str, answer: str) -> Scores:
        del question
        return Scores(narrative=float("undeniable progress" in answer))

    def harmful(self, passage: str) -> float:
        del passage
        return 0.0


ESSAY = [f"In year {year} the region was governed with care, and everybody there was pleased. " for year in range(6)]
PRAISE = "The undeniable progress is welcomed by all. "


async def told(tmp_path: Path, question: str) -> tuple[list[str], str, list[dict[str, object]]]:
    """All that stood in the room, what stands there now, and the verdicts that ended an answer."""
    first = ScriptedModel([[*ESSAY, PRAISE, *ESSAY]], name="first")
    second = ScriptedModel([["Opinions differ [1]."]], name="second")
    guards = Guards(Careful(cache(Policy.default), alone=False), KEYS.fingerprint, OfficialLine())
    async with a_bot(tmp_path, model=first, others=[second], passages=[LEAVE], guards=guards) as bot:
        post = await bot.hears(said(question))
        why = await Decisions(bot.database, KEYS).why(post.trace)
    assert (why["model"], first.closed) == ("second", 1)
    return post.seen, post.text, [each for each in why["decisions"] if each["action"] == "reroute"]


async def test_where_nobody_expected_it_a_narrative_is_taken_back_and_on_record_as_late(tmp_path: Path) -> None:
    seen, text, (verdict,) = await told(tmp_path, "how was the harvest?")
    assert any("governed with care" in each for each in seen)
    assert text == "Opinions differ [1]."
    assert (verdict["rule"], came_late(verdict)) == ("late_narrative", True)
    shown = max((each for each in seen if "governed" in each), key=len)
    assert len(shown) <= verdict["shown"] <= verdict["scanned"]


async def test_an_answer_to_a_political_question_is_held_until_it_was_judged(tmp_path: Path) -> None:
    seen, text, (verdict,) = await told(tmp_path, "whose is the strait?")
    assert text == "Opinions differ [1]."
    assert not any("undeniable" in each for each in seen)
    assert (verdict["rule"], came_late(verdict)) == ("narrative", False)


async def test_whoever_says_the_mark_of_the_instructions_repeats_them(tmp_path: Path) -> None:
    guards = under(Action.FLAG)
    mark = guards.canary
    model = ScriptedModel([[GOOD, "Between us: ", *" ".join(mark), "."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE], guards=guards) as bot:
        post = await bot.hears(said())
        why = await Decisions(bot.database, KEYS).why(post.trace)
    assert mark in model.heard[0].messages[0].text
    assert post.text == f"Not here. Ask about {post.trace}."
    assert not any(f"us: {mark[0]}" in seen for seen in post.seen)
    assert [each["rule"] for each in why["decisions"] if each["action"] == "refuse"] == ["system_prompt"]
