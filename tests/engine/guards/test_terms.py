"""The company's own words are found however they are written, and nowhere else."""

from __future__ import annotations

import base64
import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.policy import Action, Change, Layer, Pattern, Policy, Rules
from engine.guards.terms import BadPattern, Find, PatternsGuard, TermsGuard, compiled, lexicon, masked, united
from engine.guards.verdict import Allow, Flag, Mask, Refuse

TERMS = ("SILVER OTTER", "Projekt Überholspur", "蓝鹭计划", "QX7", "OTTERLINE")
MARKS = ("SECRET - INITECH INTERNAL ONLY", "INITECH RESTRICTED", "NDA-protected")
LEXICON = lexicon(TERMS, MARKS)


def found(text: str) -> list[str]:
    return [text[find.start : find.end] for find in LEXICON.find(text)]


@pytest.mark.parametrize(("text", "term"), [
    ("when does SILVER OTTER ship?", "SILVER OTTER"),
    ("the silver-otter scheduler", "silver-otter"),
    ("SilverOtterScheduler.java", "SilverOtter"),
    ("silver_otter_v2", "silver_otter"),
    ("s i l v e r  o t t e r", "s i l v e r  o t t e r"),
    ("S.I.L.V.E.R. O.T.T.E.R.", "S.I.L.V.E.R. O.T.T.E.R"),
    ("Silver\u2011Otter", "Silver\u2011Otter"),
    ("SIL\u200bVER\u00a0OT\u00adTER", "SIL\u200bVER\u00a0OT\u00adTER"),
    ("Ѕіlvеr Оttеr", "Ѕіlvеr Оttеr"),
    ("ＳＩＬＶＥＲ　ＯＴＴＥＲ", "ＳＩＬＶＥＲ　ＯＴＴＥＲ"),
    ("把SILVER OTTER的排期翻译成中文", "SILVER OTTER"),
    ("silver\notter", "silver\notter"),
    ("projekt uberholspur", "projekt uberholspur"),
    ("藍鷺計劃的預算", "藍鷺計劃"),
    ("蓝 鹭 计 划", "蓝 鹭 计 划"),
    ("the QX7-beta", "QX7"),
    ("q x 7", "q x 7"),
    ("Secret – Initech internal only.", "Secret – Initech internal only"),
    ("this is N.D.A.-protected", "N.D.A.-protected"),
])
def test_a_term_is_found_in_any_dress(text: str, term: str) -> None:
    assert found(text) == [term]


@pytest.mark.parametrize("text", [
    "silver otters live by the river", "quicksilver otter", "It was silver. Otter fur is brown.",
    "a silver, or otter, coat",
    "SQX7 boards", "an NDA template that protected us", "is restricted information at Initechnology secret?",
    "calm silver ot then terrific", "QX 700", "q x7", "蓝鹭", "", "unrelated",
])
def test_its_look_alikes_are_left_alone(text: str) -> None:
    assert found(text) == []


gaps = st.sampled_from(["", " ", "-", "\u2011", "_", "\u00a0", " - ", "\u200b", "/", "\u00ad"])
cases = st.sampled_from(["lower", "upper", "title", "strip"])
CYRILLIC = str.maketrans("aeopcx", "аеорсх")


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A term, spelled out or with something strange between its words, in any case, perhaps half in Cyrillic."""
    case = draw(cases)
    term = draw(st.sampled_from(["SILVER OTTER", *MARKS]))
    words = [str(getattr(word, case)()) for word in term.replace("-", " ").split()]
    written = "  ".join(" ".join(word) for word in words) if draw(st.booleans()) else draw(gaps).join(words)
    return written.translate(CYRILLIC) if draw(st.booleans()) else written


@given(
    mangled(), st.sampled_from(["", "about ", "(", "把", "1 "]),
    st.sampled_from(["", ".", " please", ")", "的", "'s plan"]),
)
def test_any_mangling_is_seen_through(written: str, before: str, after: str) -> None:
    text = before + written + after
    finds = LEXICON.find(text)
    assert [(find.start, find.end) for find in finds] == [(len(before), len(before) + len(written))]
    assert masked(text, finds) == f"{before}[removed]{after}"


@given(st.sampled_from(TERMS[:3]), st.sampled_from(string.ascii_letters), st.booleans())
def test_a_longer_word_is_another_word(term: str, letter: str, in_front: bool) -> None:
    lower = term.lower()
    if lower.isascii():
        assert found(letter.lower() + lower if in_front else lower + letter.lower()) == []


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_searched(text: str) -> None:
    finds = LEXICON.find(text)
    assert all(0 <= find.start < find.end <= len(text) for find in finds)
    assert all(left.end <= right.start for left, right in pairwise(finds))


def test_encoding_a_term_does_not_help() -> None:
    coded = base64.b64encode(b"the silver otter launches in June").decode()
    assert found(f"decode {coded} for me") == [coded]


def test_neither_does_encoding_a_short_one_alone() -> None:
    for term in ("otterline", "OtterLine", "silver otter"):
        coded = base64.b64encode(term.encode()).decode()
        assert found(f"what is {coded}?") == [coded]
        assert found(coded.rstrip("=")) == [coded.rstrip("=")]
    assert found("CamelCase WordsHere b3R0ZXI c29tZXRoaW5n ABCDEFGH 12345678") == []


def test_no_crowd_of_look_alikes_hides_a_term() -> None:
    assert found("xotterlinex" * 3_000 + " and OTTERLINE") == ["OTTERLINE"]
    assert found("otterline " * 3_000 + "silver otter")[-1] == "silver otter"
    harmless = base64.b64encode(b"a fine day by the sea").decode()
    coded = base64.b64encode(b"the silver otter launches in June").decode()
    assert found(f"{harmless} " * 100 + coded) == [coded]


def test_two_that_overlap_are_taken_out_as_one() -> None:
    assert found("silver otterline") == ["otterline"]
    assert united([Find(4, 9, "b"), Find(0, 5, "a"), Find(20, 22, "a")]) == (Find(0, 9, "a"), Find(20, 22, "a"))


@pytest.mark.parametrize("word", ["", "-", "a", "…"])
def test_what_would_be_found_everywhere_is_no_term(word: str) -> None:
    assert lexicon((word,), ()).find("a - a … a") == ()
    assert lexicon((word, "otter"), ()).find("an otter") == (Find(3, 8, "term"),)


def rules(**changes: Change) -> Rules:
    return Policy((Layer(
        changes={key.replace("__", "."): change for key, change in changes.items()}, terms=TERMS, marks=MARKS,
        patterns=(Pattern("ticket", "INI-[0-9]{4}"), Pattern("host", r"[a-z]+\.corp\.example", Change(Action.REFUSE)),
                  Pattern("draft", "(?i)draft", Change(shadow=True))),
    ),)).rules_for()


async def test_a_protected_term_is_refused_without_being_repeated() -> None:
    verdict = await TermsGuard(rules()).check("when does silver otter ship?")
    assert isinstance(verdict, Refuse)
    assert (verdict.rule, verdict.category) == ("term", "protected_term")
    assert "otter" not in verdict.reply.lower()
    assert await TermsGuard(rules()).check("when does it ship?") == Allow(category="protected_term")


async def test_a_policy_may_mask_terms_and_flag_marks() -> None:
    guard = TermsGuard(rules(protected_term=Change(Action.MASK), protected_term__mark=Change(Action.FLAG)))
    assert await guard.check("ask silver otter") == Mask("ask [removed]", "term", "protected_term")
    assert await guard.check("INITECH RESTRICTED: notes") == Flag("mark", "protected_term")
    assert isinstance(await guard.check("INITECH RESTRICTED: silver otter"), Mask)


async def test_patterns_have_actions_of_their_own() -> None:
    guard = PatternsGuard(rules())
    assert await guard.check("close INI-1234 and INI-5678") == Mask(
        "close [removed] and [removed]", "ticket", "pattern"
    )
    assert isinstance(await guard.check("INI-1234 on db.corp.example"), Refuse)
    assert await guard.check("a draft") == Allow("shadow:mask:draft", "pattern")
    assert await guard.check("nothing \ud800 here") == Allow(category="pattern")


async def test_a_thousand_finds_do_not_hide_another() -> None:
    guard = PatternsGuard(Policy((Layer(patterns=(Pattern("four", "[0-9]{4}"),)),)).rules_for())
    masked_four = await guard.check("1111 " * 1_000 + "SECRET 9999, bye")
    assert masked_four == Mask("[removed] " * 1_000 + "SECRET [removed]", "four", "pattern")
    assert await guard.check("1111 " * 1_000 + "bye") == Mask("[removed] " * 1_000 + "bye", "four", "pattern")


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=x)", "[", "(?P<n>", "x{1001}"])
def test_what_re2_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        compiled(pattern)


async def test_a_catastrophic_pattern_is_no_catastrophe() -> None:
    guard = PatternsGuard(Policy((Layer(patterns=(Pattern("evil", "(a+)+$"),)),)).rules_for())
    assert await guard.check("a" * 100_000 + "b") == Allow(category="pattern")


async def test_only_what_is_to_be_masked_is_masked() -> None:
    shadow, flag = Change(action=Action.REFUSE, shadow=True), Change(action=Action.FLAG)
    layer = Layer(
        changes={"protected_term.term": Change(action=Action.MASK), "protected_term.mark": flag},
        terms=("BLUE HERON",), marks=("ACME RESTRICTED",),
        patterns=(Pattern("ticket", "ACME-[0-9]{6}"), Pattern("host", "build-[0-9]+", shadow)),
    )
    rules = Policy((layer,)).rules_for()
    said = await PatternsGuard(rules).check("see ACME-123456 on build-7")
    assert said == Mask("see [removed] on build-7", "ticket", "pattern", also=(Allow("shadow:refuse:host", "pattern"),))
    said = await TermsGuard(rules).check("blue heron, ACME RESTRICTED")
    assert said == Mask("[removed], ACME RESTRICTED", "term", "protected_term")
