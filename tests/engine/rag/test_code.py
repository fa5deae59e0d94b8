"""Where source code may be cut, and by which words it is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag import code

TILL = '''"""What a till does."""

import decimal


@traced
def total(prices, *, tax=0):
    """Adds up."""
    for price in prices:
        tax += price
    return tax


class Till:
    drawer = 0

    async def refund(self, order):
        return await order.cancel()
'''


def at(text: str, cuts: code.Cuts, rank: int) -> list[str]:
    """The first words of the lines that a cut of this rank stands before."""
    return [text[offset:].split("\n", 1)[0].strip() for offset, found in cuts if found == rank]


def test_python_is_cut_before_functions_and_classes_first() -> None:
    _, cuts = code.python(TILL)
    assert at(TILL, cuts, 1) == ["@traced", "class Till:"]
    assert at(TILL, cuts, 2) == ['"""What a till does."""', "import decimal", "async def refund(self, order):"]
    assert "for price in prices:" in at(TILL, cuts, code.STATEMENT + 1)


def test_a_section_is_named_by_its_signature_and_opens_at_its_line() -> None:
    sections, _ = code.python(TILL)
    assert [(section.path, section.anchor) for section in sections] == [
        ((), ""), (("def total(prices, *, tax=0)",), "L6"), (("class Till",), "L14"),
        (("class Till", "def refund(self, order)"), "L17"),
    ]
    assert TILL[sections[1].start:].startswith("@traced")


def test_a_signature_ends_somewhere() -> None:
    wide = f"def many({', '.join(f'argument_{n}' for n in range(99))}): ...\n"
    sections, _ = code.python(wide)
    assert len(sections[1].path[0]) == code.SIGNATURE


@pytest.mark.parametrize("text", [
    "func main() {\n\tgo()\n}\n\nfunc other() {\n}\n", "def broken(:\n    pass\n\nnext = 1\n", "x = '\0'\n\ny = 2\n",
])
def test_what_is_no_python_is_cut_at_blank_lines(text: str) -> None:
    assert code.python(text) == code.blocks(text)
    sections, cuts = code.blocks(text)
    assert [offset for offset, _ in cuts] == [text.index("\n\n") + 2]
    assert sections[1].anchor == f"L{text[:sections[1].start].count(chr(10)) + 1}"


def test_a_block_goes_on_while_lines_are_indented() -> None:
    assert code.blocks("class A {\n\n    int b;\n\n    int c;\n}\n")[1] == []


def test_a_file_that_nobody_wrote_is_not_parsed() -> None:
    huge = "x = 1\n\n" * (code.LARGEST // 7 + 1)
    assert code.python(huge) == code.blocks(huge)
    deep = "(" * 3_000 + ")" * 3_000
    assert code.python(deep) == code.blocks(deep)


def test_an_odd_escape_in_a_file_is_not_our_business() -> None:
    assert code.python('def pattern():\n    return "\\d"\n')[0][1].path == ("def pattern()",)


def test_names_are_found_by_the_words_in_them() -> None:
    assert code.words("is_late HTTPServer timecardHours x1") == "is late HTTP Server timecard Hours x1"


@given(st.lists(st.sampled_from([
    "def f(a):", "    return a", "", "class C:", "    def g(self): ...", "x = 1", "if x:", "    y = [", "]", "\r",
    "\t# é",
])).map("\n".join))
def test_cuts_stand_in_order_inside_any_text(text: str) -> None:
    for sections, cuts in (code.python(text), code.blocks(text)):
        offsets = [offset for offset, _ in cuts]
        assert offsets == sorted(set(offsets))
        assert all(0 <= offset <= len(text) for offset in offsets)
        assert [section.start for section in sections] == sorted(section.start for section in sections)
