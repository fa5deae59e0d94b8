"""Answers as a terminal shows them: plain, styled, or as JSON. Pure; and nothing in them that a terminal would obey."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Literal, TypeAlias

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from engine.fences import still_open
from engine.guards.egress import Shown, Source
from engine.harmless import harmless, line
from engine.messages import Mode

Colours: TypeAlias = Literal["auto", "standard", "256", "truecolor", "windows"] | None

# Plain.


def plain_answer(shown: Shown) -> str:
    """The words of the answer."""
    return harmless(shown.text).strip()


def plain_sources(shown: Shown) -> str:
    """What belongs under an answer: its sources, and the sentence about it. Empty when there is neither."""
    return "\n".join([_plain_source(source) for source in shown.sources] + _note(shown))


def plain_passages(shown: Shown) -> str:
    """The sources with the passages that the answer was made from."""
    return "\n\n".join(
        "\n".join([_plain_source(source), *(f"    {quoted}".rstrip() for quoted in _quote(source).splitlines())])
        for source in shown.sources
    )


def _plain_source(source: Source) -> str:
    parts = (f"[{source.marker}]", line(source.title), f"({_date(source)})" if source.date else "", line(source.url))
    return " ".join(part for part in parts if part)


def _note(shown: Shown) -> list[str]:
    return [line(shown.note)] if shown.note else []


def _quote(source: Source) -> str:
    return harmless(source.quote).strip()


def _date(source: Source) -> str:
    return source.date.date().isoformat() if source.date else ""


# Styled.


def styled_answer(shown: Shown) -> RenderableType:
    """The answer's Markdown. A link in it shows where it leads."""
    return styled_block(plain_answer(shown))


def styled_sources(shown: Shown) -> RenderableType:
    """Numbered links, and the sentence about the answer."""
    return Group(*(_styled_source(source) for source in shown.sources), *(Text(n, "dim italic") for n in _note(shown)))


def styled_passages(shown: Shown) -> RenderableType:
    """The sources, each with its passage."""
    return Group(*(
        Group(_styled_source(source), Padding(styled_block(_quote(source)), (0, 0, 1, 4)))
        for source in shown.sources
    ))


def _styled_source(source: Source) -> Text:
    url = line(source.url)
    text = Text(f"[{source.marker}] ", "cyan", overflow="fold")
    text.append(line(source.title) or url, Style(bold=True, link=url or None))
    if source.date:
        text.append(f" · {_date(source)}", "dim")
    if url:
        text.append(f" · {url}", Style(dim=True, link=url))
    return text


@dataclass(frozen=True, slots=True)
class _Harmless:
    """Takes out once more what was not to be seen in the source: Markdown writes ``&#x202e;`` for a control."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for text, style, control in console.render(self.inner, options):
            if not control:
                yield Segment(harmless(text), style)


def styled(what: RenderableType, *, width: int, colours: Colours = "auto") -> str:
    """As characters and escape sequences, all of the latter ours. ``width`` in columns."""
    paper = StringIO()
    console = Console(file=paper, width=max(width, 10), color_system=colours, force_terminal=True, highlight=False,
                      emoji=False, markup=False, legacy_windows=False)
    console.print(_Harmless(what))
    return paper.getvalue()


# JSON.


def answer_json(shown: Shown) -> str:
    """One line."""
    return _json(harmless(shown.text).strip(), [
        {"marker": source.marker, "title": line(source.title), "url": line(source.url), "quote": _quote(source),
         "date": source.date.isoformat() if source.date else None}
        for source in shown.sources
    ], grounded=shown.grounded, mode=shown.mode, trace=shown.trace)


def notice_json(words: str, trace: str) -> str:
    """One line, when a sentence of ours is all there is."""
    return _json(harmless(words).strip(), [], grounded=False, mode=Mode.NOTICE, trace=trace)


def _json(answer: str, citations: list[dict[str, object]], *, grounded: bool, mode: Mode, trace: str) -> str:
    said = {"answer": answer, "citations": citations, "grounded": grounded, "mode": mode.value, "trace": trace}
    return json.dumps(said, ensure_ascii=False)


# While it streams.


def blocks(text: str) -> tuple[list[str], str]:
    """The blocks of Markdown that are complete, each ended by a blank line outside of a code fence; and the rest."""
    done: list[str] = []
    start, at, fence = 0, 0, ""
    for each in text.split("\n")[:-1]:
        before, fence = fence, still_open(each, fence)
        if not before and not each.strip():
            if block := text[start:at].strip("\n"):
                done.append(block)
            start = at + len(each) + 1
        at += len(each) + 1
    return done, text[start:]


def styled_block(text: str) -> RenderableType:
    """One of them."""
    return Markdown(harmless(text), hyperlinks=False)


def folded(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` columns, broken at blanks where there are some."""
    return [part for each in harmless(text).replace("\t", "    ").split("\n") for part in _broken(each, width)]


def _broken(text: str, width: int) -> list[str]:
    parts: list[str] = []
    start, blank, columns = 0, 0, 0
    for at, character in enumerate(text):
        if character == " ":
            blank = at
        columns += cell_len(character)
        if columns > width and at > start:
            stop, after = (blank, blank + 1) if blank > start else (at, at)
            parts.append(text[start:stop])
            start = after
            columns = cell_len(text[start : at + 1])
    parts.append(text[start:])
    return parts
