"""Personal data in answers: masked before a character of it is seen, however the answer was cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.guards import detectors
from engine.guards.disclosure import KINDS, DisclosureGuard
from engine.guards.governed import Governed
from engine.guards.personal import find
from engine.guards.policy import Action, Change, Layer, Policy, Rules
from engine.messages import Found
from tests.builders import a_passage
from tests.engine.guards.screens import CUTS, cut, letters, watch
from tests.engine.guards.test_personal import a_resident_number

NUMBERS = {
    "ssn": "509-76-3563", "resident_id": a_resident_number(), "insurance": "AB 12 34 56 C",
    "securite_sociale": "1 85 05 78 006 084 91", "email": "ann.lee+x@mail.example.org", "phone": "+49 30 9093676",
}
MASKS = {
    "ssn": "[social security number removed]", "resident_id": "[identity number removed]",
    "insurance": "[insurance number removed]", "securite_sociale": "[identity number removed]",
    "email": "[e-mail address removed]", "phone": "[phone number removed]",
}


def under(rules: Rules) -> Governed:
    """The guard as the chain has it under these rules."""
    return next(Governed(guard, rules) for guard in detectors(rules, None, "") if guard.name == "personal")


def saying(**outbound: Action) -> Rules:
    changes = {f"personal.{kind}": Change(action=action) for kind, action in outbound.items()}
    return Policy((Layer(outbound=changes),)).rules_for()


@pytest.mark.parametrize("kind", NUMBERS)
async def test_nothing_of_a_number_is_ever_seen(kind: str) -> None:
    seen = await watch(letters(f"It is {NUMBERS[kind]}, as HR says."), DisclosureGuard())
    assert seen.text == f"It is {MASKS[kind]}, as HR says."
    begun = NUMBERS[kind][:3]
    assert all(begun not in step for step in seen.steps)


@pytest.mark.parametrize(("answer", "shown"), [
    ("The passport, expires 2031, is C01234567.", "The passport, expires 2031, is [passport number removed]."),
    ("C01234567 is the number of my passport", "[passport number removed] is the number of my passport"),
    ("Her number is 13812345678 (mobile)", "Her number is [phone number removed] (mobile)"),
    ("SSN: ５０９-７６-３５６３.", "SSN: [social security number removed]."),
    ("SSN: 509\u200b-76-3563.", "SSN: [social security number removed]."),
    ("509-76-3563", "[social security number removed]"),
    ("ab 12 34 56 c", "[insurance number removed]"),
    ("号码中ab123456c", "号码中[insurance number removed]"),
    ("Write to a@b.example, or to c@d.example.", "Write to [e-mail address removed], or to [e-mail address removed]."),
])
async def test_what_stands_behind_a_number_may_say_what_it_is(answer: str, shown: str) -> None:
    for pieces in ([answer], letters(answer)):
        assert (await watch(pieces, DisclosureGuard())).text == shown


@pytest.mark.parametrize("answer", [
    "Release 2024-11-24 has 12 345 678 lines, of which 1,250 are new (3.4 %).", "Order C01234567 is on its way.",
    "Dial 9 first. At 10:30 we meet in room 4.2.1 (second floor), as is usual at 5.", "user@ or @channel", "a b c d",
])
async def test_look_alikes_stay(answer: str) -> None:
    assert (await watch(letters(answer), DisclosureGuard())).text == answer


async def test_who_was_named_before_may_be_named_again() -> None:
    page = a_passage("Ask ann@corp.example, phone +49 30 9093676. Her SSN is 509-76-3563.")
    answer = "Mail Ann@corp.example or bob@corp.example, call +49-30-9093676. SSN 509-76-3563."
    seen = await watch(letters(answer), DisclosureGuard(), found=Found((page,), answers=True))
    assert seen.text == ("Mail Ann@corp.example or [e-mail address removed], call +49-30-9093676. "
                         "SSN [social security number removed].")
    seen = await watch(letters(answer), DisclosureGuard(), question="is it bob@corp.example?", found=Found())
    assert "bob@corp.example" in seen.text


async def test_out_of_the_box_addresses_pass_and_nothing_waits_for_them() -> None:
    seen = await watch(letters("Write to ann@corp.example, SSN 509-76-3563"), under(Policy.default().rules_for()))
    assert seen.text == "Write to ann@corp.example, SSN [social security number removed]"
    assert "Write to ann@corp.exampl" in seen.steps


@pytest.mark.parametrize(("action", "shown", "tripped"), [
    (Action.MASK, "Write to [e-mail address removed].", ""), (Action.ALLOW, "Write to ann@corp.example.", ""),
    (Action.FLAG, "Write to ann@corp.example.", ""), (Action.REFUSE, "Write to ", "email"),
])
async def test_the_policy_says_what_becomes_of_an_address(action: Action, shown: str, tripped: str) -> None:
    seen = await watch(letters("Write to ann@corp.example."), under(saying(email=action)))
    assert (seen.text, seen.tripped) == (shown, tripped)


async def test_a_shadow_leaves_it_and_says_what_would_have_been_done() -> None:
    rules = Policy((Layer(outbound={"personal.ssn": Change(shadow=True)}),)).rules_for()
    seen = await watch(letters("SSN 509-76-3563."), under(rules))
    assert seen.text == "SSN 509-76-3563."
    assert [(d.action, d.rule) for d in seen.trail.decisions] == [("allow", "shadow:mask:ssn")]


async def test_in_json_as_well() -> None:
    raw = json.dumps({"who": "Ann", "note": "SSN 509-76-3563 \u4e2d"}, ensure_ascii=True)
    seen = await watch(letters(raw), DisclosureGuard())
    assert json.loads(seen.text) == {"who": "Ann", "note": "SSN [social security number removed] \u4e2d"}


PARTS = st.lists(st.sampled_from([
    *NUMBERS.values(), "passport", "C01234567", "phone", "555-010-4477", "13812345678", " ", " ", ", ", ". ", "\n", "a",
    "is", "ab", "(", ")", "+", "12", "345678", "x@y", "@", "-", "/", "９", "\u200b", "é", "中", "154519476", "ssn", "_",
]), max_size=14).map("".join)


@given(PARTS, CUTS)
@example("509-76-3563" * 60, [1, 300, 301, 500])
@example("1 2 3 4 5 6 7 8 9 0 " * 40 + "509-76-3563", [255, 256, 257])
@example("a.b" * 500 + "@corp.example" + "@a.b" * 400, [64, 700, 1501, 1502])
@example("a" * 700 + "@corp.example and b@c.d", [100, 650, 699, 700])
async def test_where_it_was_cut_changes_nothing(text: str, cuts: list[int]) -> None:
    whole, parts, single = [
        await watch(pieces, DisclosureGuard(), question="") for pieces in ([text], cut(text, cuts), letters(text))
    ]
    assert whole.text == parts.text == single.text
    final = whole.text
    for step in single.steps:       # nothing is shown that is taken back
        assert final.startswith(step)


@given(st.lists(st.sampled_from(["see", "it", "was", "on", "ann", "中文", "für", "x", "42", "7.5"]), max_size=8),
       st.sampled_from(list(NUMBERS)), st.lists(st.sampled_from(["so", "they", "say", "ok", "其他"]), max_size=8), CUTS)
async def test_a_number_among_words_is_masked_as_a_message_would_be(
    before: list[str], kind: str, behind: list[str], cuts: list[int],
) -> None:
    lead = ", ".join([*before, ""])
    text = f"{lead}{NUMBERS[kind]}, {' '.join(behind)}"
    assert [(datum.start, datum.rule) for datum in find(text)] == [(len(lead), kind)]
    seen = await watch(cut(text, cuts), DisclosureGuard(), question="")
    assert seen.text == f"{lead}{MASKS[kind]}, {' '.join(behind)}"


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=200), CUTS)
async def test_any_other_text_goes_through_whole(text: str, cuts: list[int]) -> None:
    if not find(text):
        assert (await watch(cut(text, cuts), DisclosureGuard(), question="")).text == text


async def test_only_what_may_be_a_number_is_waited_for() -> None:
    text = "Annual leave is thirty days a year, and in 2024 it was 28; ask HR about 10 more. " * 4
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    seen = await watch(pieces, DisclosureGuard(KINDS - {"email", "phone"}), question="")
    behind = [len("".join(pieces[: n + 1])) - len(step) for n, step in enumerate(seen.steps[:-1])]
    assert max(behind) <= 12
