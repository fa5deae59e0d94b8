"""Who may read what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages import Audience, ConversationId, Labels, Member, PersonId, within
from engine.rag.access import KEPT, Lists, is_label, labels, passing
from engine.rag.page import Access
from tests.builders import an_audience

NAMES = ["org", "group:a", "group:b", "channel:c", "user:0", "user:1", "conversation:x", "conversation:y"]
LABELS = st.frozensets(st.sampled_from(NAMES), max_size=3)
MEMBERS = st.lists(st.tuples(LABELS, st.booleans()), max_size=12).map(
    lambda people: tuple(Member(PersonId(str(n)), held, guest) for n, (held, guest) in enumerate(people)))
HERE = st.sampled_from([frozenset[str](), frozenset({"conversation:x"})])
AUDIENCES = st.builds(Audience, MEMBERS, HERE)


@given(st.dictionaries(st.integers(), LABELS, max_size=8), AUDIENCES)
def test_it_is_the_same_as_asking_member_by_member(lists: dict[int, Labels], audience: Audience) -> None:
    one_by_one = {
        key for key, acl in lists.items()
        if audience.members and all(
            any(label in acl and not (member.guest and label == "org") for label in member.labels)
            or any(label in acl for label in audience.here)
            for member in audience.members
        )
    }
    assert passing(lists, audience) == one_by_one == {key for key, acl in lists.items() if audience.may_read(acl)}


@given(st.lists(st.one_of(LABELS, st.frozensets(LABELS, max_size=6)), max_size=12), st.lists(AUDIENCES, max_size=3))
def test_lists_that_come_and_go_are_passed_as_if_they_were_looked_at_anew(
    changes: list[Labels | frozenset[Labels]], audiences: list[Audience],
) -> None:
    lists, there = Lists[Labels](), dict[Labels, Labels]()
    for change in changes:
        if any(isinstance(each, frozenset) for each in change):
            kept = frozenset(acl for acl in change if isinstance(acl, frozenset))
            lists.keep(kept)
            there = {acl: acl for acl in there if acl in kept}
        else:
            acl = frozenset(label for label in change if isinstance(label, str))
            lists.add(acl, acl)
            there[acl] = acl
        for audience in audiences:
            assert lists.passing(audience) == passing(there, audience)


def test_only_so_many_rooms_are_remembered() -> None:
    lists = Lists[str]()
    lists.add("it", frozenset({"org"}))
    for n in range(2 * KEPT):
        assert lists.passing(an_audience(**{f"ann{n}": "org", "bob": "org"})) == {"it"}
    assert len(lists._passed) == KEPT


def test_each_may_hold_another_of_the_labels() -> None:
    lists = {"both": frozenset({"group:a", "group:b"}), "one": frozenset({"group:a"}), "nobody": frozenset()}
    assert passing(lists, an_audience(ann="group:a", bob="group:b")) == {"both"}
    assert passing(lists, an_audience(ann="group:a")) == {"both", "one"}
    assert passing(lists, Audience()) == frozenset()


def test_what_belongs_to_a_conversation_is_for_all_who_are_in_it_and_for_nobody_elsewhere() -> None:
    lists = {"file": frozenset({within(ConversationId("slack:C1/7"))})}
    people = (Member(PersonId("ann"), frozenset({"org"})), Member(PersonId("eve"), frozenset(), guest=True))
    assert passing(lists, Audience(people, frozenset({within(ConversationId("slack:C1/7"))}))) == {"file"}
    assert passing(lists, Audience(people, frozenset({within(ConversationId("slack:C1/8"))}))) == frozenset()
    assert passing(lists, Audience((), frozenset({within(ConversationId("slack:C1/7"))}))) == frozenset()


def test_no_source_and_no_group_can_hand_out_a_conversation() -> None:
    assert not is_label(within(ConversationId("slack:C1/7")))


def test_a_guest_reads_only_what_is_marked_for_guests() -> None:
    guest = Audience((Member(PersonId("eve"), frozenset({"org", "user:eve", "channel:c"}), guest=True),))
    lists = {1: frozenset({"org"}), 2: frozenset({"channel:c", "org"}), 3: frozenset({"user:eve"})}
    assert passing(lists, guest) == {2, 3}


@pytest.mark.parametrize(("text", "fits"), [
    ("org", True), ("group:hr", True), ("user:slack:T1/U7", True), ("channel:slack:C01", True), ("group:年次", True),
    ("", False), ("everyone", False), ("*", False), ("group:", False), ("group: hr", False), ("GROUP:hr", False),
    ("org ", False), ("user:\n", False), (f"user:{'x' * 600}", False), ("group:a\0b", False),
])
def test_what_is_not_a_label_is_for_nobody(text: str, *, fits: bool) -> None:
    assert is_label(text) == fits
    assert labels([text]) == (frozenset({text}) if fits else frozenset())


@pytest.mark.parametrize(("pattern", "path"), [
    ("hr/*", "hr/deep/pay.md"),
    ("l\u00f6hne/*", "lo\u0308hne/2026.md"),           # as macOS writes it
    ("lo\u0308hne/*", "l\u00f6hne/2026.md"),
    ("old [2024]/*", "old [2024]/pay.md"),
    ("hr/[a-m]*", "hr/bonus.md"),
    ("*.pdf", "a/b.pdf"),
])
def test_a_rule_is_about_the_paths_that_it_says(pattern: str, path: str) -> None:
    rules = Access(frozenset({"org"}), ((pattern, frozenset({"group:hr"})),))
    assert rules.of(path) == {"group:hr"}
    assert rules.of("wiki/pay.md") == {"org"}
    assert rules.of(path, frozenset({"user:1"})) == {"user:1"}
