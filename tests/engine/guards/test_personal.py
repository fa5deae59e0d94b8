"""Personal data: what is somebody's number, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.personal import MAX_FINDS, PersonalGuard, find, masked, people
from engine.guards.policy import Action, Change, Layer, Policy
from engine.guards.verdict import Allow, Mask, Refuse


def a_resident_number(region: str = "110105", born: str = "19491231", serial: str = "002") -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)     # as the standard prints them
    digits = region + born + serial
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]


@pytest.mark.parametrize(("text", "rule", "number"), [
    ("my SSN is 509-76-3563.", "ssn", "509-76-3563"),
    ("config: 154-51-9476", "ssn", "154-51-9476"),
    ("ssn 154519476 on file", "ssn", "154519476"),
    ("ssn 154\u201151\u20119476", "ssn", "154\u201151\u20119476"),
    (f"身份证{a_resident_number()}。", "resident_id", a_resident_number()),
    (f"id {a_resident_number(serial='123').lower()}", "resident_id", a_resident_number(serial="123").lower()),
    ("passport number C01234567, expires 2031", "passport", "C01234567"),
    ("Reisepass: C4V0012345", "passport", ""),
    ("护照号 E12345678", "passport", "E12345678"),
    ("Steuer-ID 86 095 742 719", "tax_id", "86 095 742 719"),
    ("NI number QQ123456C is a sample, AB 12 34 56 C is not", "insurance", "AB 12 34 56 C"),
    ("numéro 1 85 05 78 006 084 91", "securite_sociale", "1 85 05 78 006 084 91"),
    ("write to ann.lee+x@mail.example.org", "email", "ann.lee+x@mail.example.org"),
    ("call +49 30 9093676 now", "phone", "+49 30 9093676"),
    ("call ＋１ ４１５ ５５５ ２６７１", "phone", "＋１ ４１５ ５５５ ２６７１"),
    ("mobile 13812345678", "phone", "13812345678"),
    ("phone: (555) 010-4477", "phone", "(555) 010-4477"),
])
def test_personal_numbers_are_found(text: str, rule: str, number: str) -> None:
    assert [text[datum.start : datum.end] for datum in find(text) if datum.rule == rule] == ([number] if number else [])


@pytest.mark.parametrize("text", [
    "order 4111-22-0098", "666-12-3456", "900-12-3456", "123-45-6789 is the sample on every form", "000-11-2222",
    "part 509-76-35631", "version 1.509-76-3563-2", "the 154519476 bytes", f"{a_resident_number()[:-1]}7",
    f"{a_resident_number(born='19491332')}", "order C01234567", "86 095 742 719 units sold", "call 555-010 or dial 9",
    "1 + 2 = 3", "@channel and user@", "room (555) 010-4477 of the series", "+1", "13812345678 rows", "",
])
def test_look_alikes_are_left_alone(text: str) -> None:
    assert find(text) == ()


def test_whoever_hides_a_number_behind_ten_thousand_others_hides_nothing() -> None:
    text = "ssn: " + "509-76-3563 " * (MAX_FINDS + 100) + "and a@corp.example, 154-51-9476."
    data = list(find(text))
    assert "154-51-9476" not in masked(text, data)
    assert "509-76-3563" not in masked(text, data)
    behind_addresses = "a@corp.example " * (MAX_FINDS + 1) + "then bob@corp.example"
    assert "bob" not in masked(behind_addresses, list(find(behind_addresses)))


@given(st.integers(1, 665), st.integers(1, 99), st.integers(1, 9999), st.sampled_from(["", "is ", "用", "("]))
def test_every_social_security_number_is_one(area: int, group: int, serial: int, before: str) -> None:
    number = f"{area:03}-{group:02}-{serial:04}"
    printed_everywhere = number in ("123-45-6789", "078-05-1120") or len(set(number)) == 2
    found = [(datum.start, datum.end) for datum in find(f"{before}{number} today")]
    assert found == ([] if printed_everywhere else [(len(before), len(before) + 11)])


@given(
    st.integers(110000, 659004), st.dates().map(lambda day: f"{max(day.year, 1900):04}{day:%m}01"), st.integers(0, 999)
)
def test_a_resident_number_has_one_right_check_character(region: int, born: str, serial: int) -> None:
    number = a_resident_number(str(region), born, f"{serial:03}")
    valid = int(born[:4]) <= 2099
    assert bool(find(f"id {number}")) == valid
    wrong = "1" if number[-1] != "1" else "2"
    assert not find(f"id {number[:-1]}{wrong}")


@given(st.text(st.characters(exclude_categories=[])), st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_searched_and_nothing_else_is_taken_out(before: str, after: str) -> None:
    text = f"{before} 154-51-9476 {after}"
    data = list(find(text))
    assert all(0 <= datum.start < datum.end <= len(text) for datum in data)
    assert "154-51-9476" not in masked(text, data)
    assert masked(text, []) == text


CONTACTS = "Ann Lee, ann@mail.example, +49 30 9093676; Omar Haddad, omar@mail.example, +49 30 2017722"


def test_a_list_of_people_is_more_than_the_sum_of_its_addresses() -> None:
    assert len(people(find(CONTACTS))) == 4
    assert people(find("ask ann@mail.example or +49 30 9093676")) == ()
    assert people(find("cc ann@mail.example, omar@mail.example, raj@mail.example")) == ()
    far = "ann@mail.example, +49 30 9093676" + " and so on" * 20 + "omar@mail.example, +49 30 2017722"
    assert people(find(far)) == ()


async def test_numbers_are_masked_and_single_addresses_pass() -> None:
    guard = PersonalGuard(Policy.default().rules_for())
    assert await guard.check("store 154-51-9476 please") == Mask(
        "store [social security number removed] please", "ssn", "personal"
    )
    assert (await guard.check("mail ann@mail.example")).action == "allow"
    assert await guard.check("no numbers at all") == Allow(category="personal")
    listed = await guard.check(CONTACTS)
    assert isinstance(listed, Mask)
    assert listed.rule == "list"
    assert "@" not in listed.text
    assert "Omar Haddad" in listed.text


async def test_only_what_is_to_be_masked_is_masked() -> None:
    guard = PersonalGuard(Policy.default().rules_for())
    verdict = await guard.check("154-51-9476, ann@mail.example")
    assert isinstance(verdict, Mask)
    assert verdict.text == "[social security number removed], ann@mail.example"


async def test_a_policy_decides_for_each_kind() -> None:
    strict = Policy((Layer(changes={
        "personal.ssn": Change(Action.REFUSE), "personal.email": Change(Action.MASK),
        "personal.list": Change(shadow=True),
    }),)).rules_for()
    assert isinstance(await PersonalGuard(strict).check("154-51-9476"), Refuse)
    assert isinstance(await PersonalGuard(strict).check("ann@mail.example"), Mask)
    verdict = await PersonalGuard(strict).check(CONTACTS)
    assert isinstance(verdict, Mask)
    assert "+49 30 9093676" in verdict.text     # the list is in the shadow, the addresses are not
    assert "@" not in verdict.text
