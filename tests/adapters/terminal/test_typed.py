"""Lines out of pipes and files, whatever bytes they hold."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from adapters.terminal import typed
from adapters.terminal.typed import Typed


async def lines(source: Typed) -> list[str]:
    found = []
    while (line := await source.line()) is not None:
        found.append(line)
    assert await source.line() is None
    return found


async def piped(*chunks: bytes) -> list[str]:
    inner, outer = os.pipe()

    async def write() -> None:
        for chunk in chunks:
            for at in range(0, len(chunk), 4096):
                while os.write(outer, chunk[at : at + 4096]) < len(chunk[at : at + 4096]):
                    raise AssertionError("a small write to a pipe is whole")
                await asyncio.sleep(0)
        os.close(outer)

    try:
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(lines(Typed(inner)))
            tasks.create_task(write())
        return reading.result()
    finally:
        os.close(inner)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\ufeff", codec="utf-8"), min_size=1)), st.booleans())
async def test_what_was_written_is_read_line_by_line(said: list[str], ended: bool) -> None:
    data = "\n".join(said).encode() + b"\n" * bool(said and ended)
    middle = len(data) // 2             # often in the middle of a character
    assert await piped(data[:middle], data[middle:]) == said


async def test_bytes_that_are_no_text_are_no_reason_to_stop() -> None:
    assert await piped(b"\xef\xbb\xbfone\r\n\xff\xfe\x00two\n\xc3") == ["one", "\ufffd\ufffd\x00two", "\ufffd"]


async def test_an_endless_line_is_cut_and_the_next_one_is_whole() -> None:
    long = b"x" * (typed.LONGEST + 300_000)
    first, second = await piped(long, b"yz\nnext")
    assert (len(first), second) == (typed.LONGEST, "next")
    assert [len(each) for each in await piped(long)] == [typed.LONGEST]


async def test_files_and_nothing_at_all_are_read_like_pipes(tmp_path: Path) -> None:
    (tmp_path / "questions").write_text("one\n\ntwo")
    with (tmp_path / "questions").open() as file:
        assert await lines(Typed(file.fileno())) == ["one", "", "two"]
    nothing = os.open(os.devnull, os.O_RDONLY)
    assert await lines(Typed(nothing)) == []
    os.close(nothing)
    assert await lines(Typed(-1)) == []


async def test_the_whole_is_one_question(tmp_path: Path) -> None:
    (tmp_path / "question").write_text("one\ntwo\n")
    with (tmp_path / "question").open() as file:
        assert await Typed(file.fileno()).whole() == "one\ntwo"
