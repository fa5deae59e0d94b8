"""Who is in which group, from the two forms that a directory comes in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.people.directory import Directory, joined, read
from engine.errors import MembershipUnavailable
from engine.messages import Labels, Member, PersonId

OURS = b"""
guests = ["eve@partner.example"]
[groups]
hr = ["slack:T1/U7", "bob@acme.example", "group:hr-leads"]
hr-leads = ["slack:T1/U8", "group:hr"]
board = []
[people]
"bob@acme.example" = ["slack:T1/U9", "discord:123"]
"eve@partner.example" = ["slack:T1/U66"]
"""
SCIM = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 5,
    "Resources": [
        {"id": "1", "userName": "ann", "externalId": "slack:T1/U1", "active": True, "groups": [{"value": "g2"}]},
        {"id": "2", "userName": "bob", "emails": [{"value": "bob@acme.example", "primary": True}]},
        {"id": "3", "userName": "old", "externalId": "slack:T1/U3", "active": False},
        {"id": "4", "userName": "eve", "externalId": "slack:T1/U4", "userType": "External"},
        {"id": "g1", "displayName": "staff", "members": [{"value": "2"}, {"value": "3"}, {"value": "4"},
                                                         {"value": "g2", "type": "Group"}, {"value": "nobody"}]},
        {"id": "g2", "displayName": "engineering", "members": []},
    ],
}


def held(directory: Directory, person: str, labels: Labels = frozenset({"org"})) -> tuple[Labels, bool]:
    member = directory.completed(Member(PersonId(person), labels))
    return member.labels, member.guest


def test_a_file_names_accounts_people_and_groups_within_groups() -> None:
    people = read(OURS, toml=True)
    assert held(people, "slack:T1/U7") == ({"org", "group:hr", "group:hr-leads"}, False)
    assert held(people, "slack:T1/U8") == ({"org", "group:hr", "group:hr-leads"}, False)
    assert held(people, "discord:123") == ({"org", "group:hr", "group:hr-leads"}, False)
    assert held(people, "slack:T1/U66") == ({"org"}, True)
    assert held(people, "slack:T1/U100") == ({"org"}, False)


def test_scim_resources_are_understood() -> None:
    people = read(json.dumps(SCIM).encode())
    assert held(people, "slack:T1/U1") == ({"org", "group:engineering", "group:staff"}, False)
    assert held(people, "bob@acme.example") == ({"org", "group:staff"}, False)
    assert held(people, "slack:T1/U4") == ({"org", "group:staff"}, True)
    assert held(people, "nobody") == ({"org"}, False)


def test_what_a_directory_leaves_open_is_as_if_it_were_not_there() -> None:
    said = json.loads(json.dumps(SCIM))
    for resource in said["Resources"]:
        for key in ("externalId", "emails", "groups", "userType", "nickName"):
            resource.setdefault(key, None)
    assert read(json.dumps(said).encode()) == read(json.dumps(SCIM).encode())
    assert read(b'{"totalResults": 0, "Resources": null}') == read(b'{"totalResults": 0, "Resources": []}')


def test_who_was_deactivated_holds_nothing() -> None:
    people = read(json.dumps([SCIM]).encode())
    assert held(people, "slack:T1/U3", frozenset({"org", "user:slack:T1/U3", "channel:c"})) == (frozenset(), True)


def test_accounts_in_a_file_and_groups_from_scim_go_together() -> None:
    accounts = read(json.dumps({"people": {"bob@acme.example": ["slack:T1/U9"]}}).encode())
    both = joined([read(json.dumps(SCIM).encode()), accounts])
    assert held(both, "slack:T1/U9") == ({"org", "group:staff"}, False)


@pytest.mark.parametrize("raw", [
    b"", b"{", b"\xff", b"null", b"3", b'{"group": {}}', b'{"groups": {"a": "b"}}', b'{"Resources": [{"id": 3}]}',
    b'{"Resources": 1}',
])
def test_a_file_of_another_form_is_refused_and_names_nobody(raw: bytes) -> None:
    with pytest.raises(MembershipUnavailable, match="cannot be read: "):
        read(raw)


MEMBERS = st.lists(st.sampled_from(["ann", "bob", *(f"group:{group}" for group in "abcd")]))


@given(st.dictionaries(st.sampled_from("abc"), MEMBERS))
def test_members_of_a_group_within_a_group_are_its_members_and_nobody_is_in_an_unknown_one(
    groups: dict[str, list[str]]
) -> None:
    people = read(json.dumps({"groups": groups}).encode())
    for name in ("ann", "bob"):
        within = {f"group:{group}" for group in groups if _deep(groups, group, name)}
        assert held(people, name)[0] == {"org", *within}


def test_two_groups_of_one_name_are_nobodys() -> None:
    twice = [{"id": i, "displayName": "staff", "members": [{"value": "1"}]} for i in ("g1", "g2")]
    people = read(json.dumps({"Resources": [{"id": "1", "userName": "ann"}, *twice]}).encode())
    assert held(people, "ann") == ({"org"}, False)


def _deep(groups: dict[str, list[str]], group: str, name: str, depth: int = 4) -> bool:
    members = groups.get(group, [])
    return name in members or (depth > 0 and any(
        _deep(groups, inner.removeprefix("group:"), name, depth - 1) for inner in members if inner.startswith("group:")
    ))
