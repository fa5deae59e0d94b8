"""Links lead where we were; all others are names of hosts, and no picture is fetched."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.guards.links import LinkGuard
from engine.messages import Found
from tests.builders import a_passage
from tests.engine.guards.screens import CUTS, cut, letters, watch

FOUND = Found((a_passage("text", id="p1", url="https://wiki.acme.example/leave"),), answers=True)
GUARD = LinkGuard(["docs.acme.example", ".trusted.example"])


@pytest.mark.parametrize(("text", "shown"), [
    ("[page](https://wiki.acme.example/a?b=1#c)", "[page](https://wiki.acme.example/a?b=1#c)"),
    ("https://docs.acme.example/x and https://a.trusted.example/", "https://docs.acme.example/x and"
    " https://a.trusted.example/"),
    ("[page](https://evil.example/?d=secret)", "[page] (evil.example)"),
    ("![p](https://wiki.acme.example/i.png)", "![p] (wiki.acme.example)"),
    ("see https://evil.example/a/b?q=1.", "see evil.example."),
    ("www.evil.example/x", "www.evil.example"),
    ("<https://evil.example/x?q|label>", "<evil.example|label>"),
    ("[a ![i](https://e.example/x)](https://evil.example/z)", "[a ![i] (e.example)] (evil.example)"),
    ("https://wiki.acme.example@evil.example/x", "evil.example"),
    ("[x](https://wiki.acme.example\\@evil.example/x)", "[x]"),
    ("[x](javascript:alert(1)) [y](data:text/html,hi)", "[x] [y]"),
    ("[x](//evil.example/q)", "[x] (evil.example)"),
    ("[r](#part) [s](/leave) [1] a[2](x)", "[r](#part) [s](/leave) [1] a[2](x)"),
    ("`curl https://evil.example/x`", "`curl https://evil.example/x`"),
    ("[x](https://evil.example/`secret`) ok", "[x] (evil.example) ok"),
    ("![x](//evil.example/`secret) so`", "![x] (evil.example) so`"),
    ("[`x`](//evil.example/`a`b) `c` https://evil.example/q", "[`x`] (evil.example) `c` evil.example"),
    ("it`s https://evil.example/?d=secret\n`https://evil.example/x`", "it`s evil.example\n`https://evil.example/x`"),
    ("a ` b [x](//evil.example/secret)", "a ` b [x] (evil.example)"),
    ("a ``b` https://evil.example/x`` c", "a ``b` https://evil.example/x`` c"),
    ("```\nhttps://evil.example/x\n```", "```\nhttps://evil.example/x\n```"),
    ('{"a": "https:\\/\\/evil.example\\/q?d=1 ok"}', '{"a": "evil.example ok"}'),
])
async def test_addresses(text: str, shown: str) -> None:
    for pieces in ([text], letters(text)):
        assert (await watch(pieces, GUARD, found=FOUND)).text == shown


PARTS = st.sampled_from([
    "[a]", "(https://evil.example/?d=secret)", "![", "](", "https://evil.example/secret ", "http", "://", "www.",
    "evil.example/secret", ")", "(", "`", "\n", ""
    " ", "[", "]", "!", "x", "https://wiki.acme.example/ok", ".", "<", ">", "\\",
])


@given(st.lists(PARTS, max_size=12).map("".join), CUTS)
async def test_no_cut_changes_what_is_shown(text: str, cuts: list[int]) -> None:
    slow, seen = await watch(letters(text), GUARD, found=FOUND), await watch(cut(text, cuts), GUARD, found=FOUND)
    whole = await watch([text], GUARD, found=FOUND)
    assert slow.text == seen.text == whole.text
    if "`" not in text:
        assert not any(re.search(r"(?<![A-Za-z0-9/])https?://evil", step) for step in slow.steps)


@pytest.mark.parametrize(("text", "shown"), [
    ("![x](//evil.example/p?d=%s) ok", "![x] ok"),
    ("![x](//evil.example/(%s)a) ok", "![x]a) ok"),
    ("[x](//evil.example/p '%s') ok", "[x] ok"),
    ("[x](https://wiki.acme.example/%s) ok", "[x] ok"),
    ("see https://evil.example/%s, ok", "see evil.example ok"),
    ("<https://evil.example/%s|label>", "<evil.example|label>"),
    ("a https://wiki.acme.example/%s https://evil.example/x", "a wiki.acme.example evil.example"),
    ("[x](see %s) ok", "[x](see %s) ok"),
    ("it`s https://evil.example/%s, ok", "it`s evil.example ok"),
])
@pytest.mark.parametrize("size", [2000, 2047, 2100, 5000])
async def test_an_address_of_any_length_leads_nowhere(text: str, shown: str, size: int) -> None:
    if size < 2047:
        shown = (await watch([text.replace("%s", "A" * size)], GUARD, found=FOUND)).text
    text, shown = text.replace("%s", "A" * size), shown.replace("%s", "A" * size)
    for pieces in ([text], letters(text), [text[at : at + 700] for at in range(0, len(text), 700)]):
        seen = await watch(pieces, GUARD, found=FOUND)
        assert seen.text == shown
        assert not any("//evil" in step for step in seen.steps)


LONG_PARTS = st.sampled_from([
    "[a](", "![a](", "https://evil.example/", "//evil.example/", "A" * 1000, "A" * 2040, ")", "(", " ", " '", "`", "\n",
    "\\", "<", ">", "x", "]",
])


@settings(max_examples=40)
@given(st.lists(LONG_PARTS, max_size=9).map("".join), CUTS)
async def test_no_cut_changes_what_is_shown_of_a_long_address(text: str, cuts: list[int]) -> None:
    whole, seen = await watch([text], GUARD, found=FOUND), await watch(cut(text, cuts), GUARD, found=FOUND)
    small = await watch([text[at : at + 50] for at in range(0, len(text), 50)], GUARD, found=FOUND)
    assert whole.text == seen.text == small.text


async def test_a_megabyte_of_brackets_and_an_endless_address() -> None:
    text = "[" * 500_000 + "](" * 200_000
    assert (await watch([text], GUARD, found=FOUND)).text == text
    endless = "https://evil.example/" + "a" * 200_000
    pieces: list[str] = [endless[at : at + 500] for at in range(0, len(endless), 500)]
    assert "secret" not in (await watch(pieces, GUARD, found=FOUND)).text
