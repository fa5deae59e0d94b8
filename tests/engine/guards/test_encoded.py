"""Secrets that were broken up or encoded are secrets."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.secrets import SecretsGuard
from tests.engine.guards.screens import CUTS, cut, letters, watch

KEYS = {
    "GitHub token": "ghp_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R",
    "AWS key": "AKIAUJZDEGXDNCF32EPF",
    "Slack token": "xoxb-729108451718-483660712739-aBcDeFgHiJkLmNoPqRsT",
    "Google API key": "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
}
DRESSES: dict[str, Callable[[str], str]] = {
    "spaced": " ".join,
    "dotted": ".".join,
    "zero-width": "\u200b".join,
    "one joiner": lambda key: key[:9] + "\u2060" + key[9:],
    "groups": lambda key: " ".join(key[at : at + 5] for at in range(0, len(key), 5)),
    "two lines": lambda key: key[:12] + "\n" + key[12:],
    "concatenated": lambda key: key[:10] + '" + "' + key[10:],
    "half bold": lambda key: key[:9] + "**" + key[9:],
    "half code": lambda key: key[:9] + "`" + key[9:],
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 in words": lambda key: base64.b64encode(f"the key is {key}, keep it".encode()).decode(),
    "hex": lambda key: key.encode().hex(),
    "reversed": lambda key: key[::-1],
}
ORDINARY = [
    "The commit 3f2a9c1b7d4e5f60718293a4b5c6d7e8f9012345 is fine, and so is v1.2.3-rc.1+build.5.",
    "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z",
    "| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |",
    "SGVsbG8sIHRoaXMgaXMganVzdCBhIGdyZWV0aW5nLg== is base64 of a greeting.",
    "internationalisation/localisation_of_the_GitHub2Slack-bridge",
    "AKIA is how the ids begin, ghp_ how the tokens do.",
    "1 2 3 4 5 6 7 8 9 10 11 12",
]


@pytest.mark.parametrize("dress", DRESSES.keys())
@pytest.mark.parametrize("name", KEYS.keys())
async def test_an_obfuscated_secret_is_masked_and_none_of_it_is_seen(name: str, dress: str) -> None:
    if (name, dress) == ("Google API key", "groups"):
        pytest.skip("a part of it is letters alone, like a word")
    hidden = DRESSES[dress](KEYS[name])
    text = f"The value is {hidden} so keep it."
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, SecretsGuard())
        assert seen.text == f"The value is [{name} removed] so keep it."
        assert all("The value is [".startswith(step[:14]) for step in seen.steps)


@pytest.mark.parametrize("text", ORDINARY)
async def test_what_only_looks_odd_passes(text: str) -> None:
    for pieces in ([text], letters(text)):
        assert (await watch(pieces, SecretsGuard())).text == text


@pytest.mark.parametrize("before", [0, 1, 3, 500, 2030, 2048, 3000, 5000])
@pytest.mark.parametrize("after", [0, 3000])
async def test_no_row_of_single_letters_is_long_enough_to_hide_one(before: int, after: int) -> None:
    key = KEYS["GitHub token"]
    text = f"look {' '.join('b' * before + key + 'c' * after)} so"
    whole = await watch([text], SecretsGuard())
    assert whole.text.startswith("look ")
    assert whole.text.endswith("[GitHub token removed] so")
    assert " ".join(key[:8]) not in whole.text
    for pieces in (letters(text), [text[at : at + 700] for at in range(0, len(text), 700)]):
        seen = await watch(pieces, SecretsGuard())
        assert seen.text == whole.text
        assert not any(" ".join(key[:8]) in step for step in seen.steps)


async def test_bold_marks_do_not_break_a_secret_up() -> None:
    key = KEYS["GitHub token"]
    text = f"it is {key[:4]}**{key[4:22]}**{key[22:]} or **{key[:30]}**{key[30:]} so."
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, SecretsGuard())
        assert seen.text == "it is [GitHub token removed] or **[GitHub token removed] so."


@pytest.mark.parametrize("name", KEYS)
async def test_marks_within_its_prefix_do_not_either(name: str) -> None:
    key = KEYS[name]
    for dressed in (
        f"{key[0]}**{key[1:]}", f"{key[:2]}**{key[2]}**{key[3:]}", f"{key[0]}`{key[1:]}`", f"{key[:3]}~~{key[3:]}",
        f"{key[:4]}||{key[4:]}||", key.replace("_", "\\_"),
    ):
        text = f"so {dressed} ok"
        for pieces in ([text], letters(text)):
            seen = await watch(pieces, SecretsGuard())
            assert seen.text.startswith(f"so [{name} removed]"), dressed
            assert not any(step.startswith(f"so {key[0]}") for step in seen.steps)


PARTS = st.sampled_from([
    *(dress(key) for key in KEYS.values() for dress in DRESSES.values()), *ORDINARY, " ", "\n", "a", "1"
    " ", "\u200b", ".", '"', "g**hp_", "M**", "hf_", "**", "`", "\\", "x" * 40,
])


@given(st.lists(PARTS, max_size=5).map("".join), CUTS)
async def test_no_cut_changes_what_is_masked(text: str, cuts: list[int]) -> None:
    whole, slow = await watch([text], SecretsGuard()), await watch(letters(text), SecretsGuard())
    seen = await watch(cut(text, cuts), SecretsGuard())
    assert whole.text == slow.text == seen.text
