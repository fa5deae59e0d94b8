"""Text as a model or a page could write it to trick whoever shows it."""

from __future__ import annotations

from hypothesis import strategies as st

HOSTILE = st.text(
    st.one_of(
        st.characters(codec=None),
        st.sampled_from("\x1b\x07\x9b\x9d\x00\r\b\x7f\u202e\u2066\u200f\u061c\u2028\ud800\n\t [](){}<>*_`#|&;-~123m"),
    ),
    max_size=200,
) | st.lists(st.sampled_from([
    "\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\", "&#x1b;[31m", "&#x202e;", "&rlm;", "[a](http://x)",
    "```\n", "| a | b |\n|--|--|\n", "> ", "\n\n", "1. ", "word ", "ünïcode ", "漢字", "👩‍👩‍👧",
])).map("".join)
