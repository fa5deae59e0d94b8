"""HTML as wikis and documentation tools write it. All of these pages say the same; what leads away says "elsewhere"."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.parsing.formats import Parsed, Rejected, html
from adapters.parsing.parser import Content, Parser
from engine.rag.chunk import chunk
from tests.adapters.qdrant.bags import Words

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))


def read(raw: str | bytes) -> Parsed:
    told = html(raw.encode() if isinstance(raw, str) else raw)
    assert isinstance(told, Parsed), told
    return told


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_what_a_page_says_survives_and_what_leads_away_does_not(page: Path) -> None:
    told = read(page.read_bytes())
    assert "elsewhere" not in told.text.lower()
    assert re.findall(r"^#.*", told.text, re.MULTILINE)[:3] == ["# Annual leave", "## Notice", "### Carrying over"]
    assert told.title == "Annual leave"
    for words in ("Everyone has **thirty days** of leave in a year.",
                  "| Days off | Notice |\n| --- | --- |\n| 3 to 10 | ten days |",
                  "Five days, until March; see on call.",
                  "harbourctl leave --days 3\n  --show\n```",
                  "> Nothing is carried over twice."):
        assert words in told.text
    assert re.search(r"1\. Tell your lead\n +- in person\n+2\. Enter it in the `leave` sheet", told.text)
    assert told.anchors is not None
    assert told.anchors["notice"] == "Annualleave-Notice"
    assert told.anchors["carrying-over"] == "Annualleave-Carryingover"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_each_section_opens_where_it_stands(page: Path) -> None:
    told = read(page.read_bytes())
    cut = chunk(told.text, name="page", tokens=Words(), window=20, size=20)
    where = {(told.anchors or {}).get(piece.anchor) for piece in cut if "ten days" in piece.text}
    assert where == {"Annualleave-Notice"}


@pytest.mark.parametrize(("head", "day"), [
    ("<meta property='article:modified_time' content='2026-03-04T10:00:00+02:00'>", (4, 8)),
    ("<meta name='Last-Modified' content='Wed, 04 Mar 2026 10:00:00 GMT'>", (4, 10)),
    ("<meta property='article:published_time' content='2026-03-04'>", None),
    ("<meta name='last-modified' content='03/04/2026'>", None),
    ("<time itemprop='dateModified' datetime='2026-03-04'>yesterday</time>", (4, 0)),
    ("<div class='page-metadata'>Created by <span>Ann</span>, last modified by <span>Bob</span> on Mar 04, 2026</div>",
     (4, 0)),
    ("<div class='page-metadata'>Created by <span>May 7</span> on Jan 02, 2024, last changed on 4 March 2026</div>",
     (4, 0)),
    ("<div class='page-metadata'>Erstellt von Ann, zuletzt geändert am 04. März 2026</div>", (4, 0)),
    ("<div class='page-metadata'>Erstellt von Ann am 4.3.2026</div>", (4, 0)),
    ("<div class='page-metadata'>Created by Ann on Foo 04, 2026</div>", None),
    ("<div class='page-metadata'>Created by Ann on 31.02.2026</div>", None),
    ("<div class='page-metadata'>Created by Ann on 2026-02-30</div>", None),
    ("<meta name='last-modified' content='0000-00-00'>", None),
    ("<div class='page-metadata'>on 4 March 2026" + "<p class='page-metadata'>x" * 200, (4, 0)),
])
def test_a_page_says_when_it_was_changed(head: str, day: tuple[int, int] | None) -> None:
    told = read(f"<html><body>{head}<div id='main-content'><h1>Slipway</h1><p>Grease it.</p></div></body></html>")
    assert told.changed == (datetime(2026, 3, *day, tzinfo=UTC) if day else None)


@pytest.mark.parametrize(("body", "text"), [
    ("<h1>Weekly</h1><p>Grease the rails.</p><h1>Yearly</h1><p>Test it.</p>",
     "# Slipway\n\n# Weekly\n\nGrease the rails.\n\n# Yearly\n\nTest it."),
    ("<h1>Slipway</h1><p>Grease the rails.</p>", "# Slipway\n\nGrease the rails."),
    ("<h2>Weekly</h2><p>Grease the rails.</p>", "# Slipway\n\n## Weekly\n\nGrease the rails."),
])
def test_a_page_of_confluence_has_its_title_also_where_its_sections_are_as_high(body: str, text: str) -> None:
    head = "<title>Yard : Slipway</title></head><body><h1 id='title-heading'>Yard : Slipway</h1>"
    told = read(f"<html><head>{head}<div id='main-content'>{body}</div></body></html>")
    assert (told.text, told.title) == (text, "Slipway")
    heading = chunk(told.text, name="page", tokens=Words(), window=40, size=8)[0].heading
    assert heading.startswith("Slipway")


@pytest.mark.parametrize(("body", "text"), [
    ("<h1>A</h1><dl><dt>Half day</dt><dd>counts as 0.5</dd><dt>Long</dt><dd><p>One.</p><p>Two.</p></dd></dl>",
     "# A\n\n- **Half day**: counts as 0.5\n\n**Long**\n\nOne.\n\nTwo."),
    ("<h1>A</h1><ul><li><p>One</p><p>more</p></li><li><h4>Two</h4><pre>x = 1</pre></li></ul>",
     "# A\n\n- One\n\n  more\n- **Two**\n\n  ```\n  x = 1\n  ```"),
    ("<h1>A</h1><table><tr><th>Day<th>Who<tr><td rowspan=2>Monday<td>Ann<tr><td>Cem<tr><td colspan=2>closed</table>",
     "# A\n\n| Day | Who |\n| --- | --- |\n| Monday | Ann |\n| Monday | Cem |\n| closed |  |"),
    ("<h1>A</h1><table><tr><td><h2>Left</h2>One.</td><td><h2>Right</h2>Two.</td></tr></table>",
     "# A\n\n## Left\n\nOne.\n\n## Right\n\nTwo."),
    ("<h1>A</h1><table><tr><td>a|b<td><ul><li>one<li>two</ul></table>",
     "# A\n\n| a\\|b | one; two |\n| --- | --- |"),
    ("<h1>A</h1><pre><code class='lang-py'>a = '```'</code></pre>", "# A\n\n````py\na = '```'\n````"),
    ("<h1>A</h1><p># no heading<br>- no item<br>1. nor this</p>",
     "# A\n\n\\# no heading\n\\- no item\n1\\. nor this"),
    ("<h1>A</h1><p>2 * 3 <b>*</b> <i></i> <em>a</em>&nbsp;<b>b </b>c</p>", "# A\n\n2 * 3 * *a* **b** c"),
    ("<h1>A</h1><details><summary>Why?</summary>Because.</details>", "# A\n\n**Why?**\n\nBecause."),
    ("<span><div>One.</div></span>two <a><p>three</p></a>", "# T\n\nOne.\n\ntwo\n\nthree"),
    ("<ul><li><a href=a>First page</a><li><a href=b>Second page</a></ul>", "# T\n\n- First page\n- Second page"),
    ("<div class=menu><h1>Lunch</h1><p>Soup on Monday, fish on Friday, nothing on Sunday.</p></div>",
     "# Lunch\n\nSoup on Monday, fish on Friday, nothing on Sunday."),
    ("<form><h1>A</h1><p>Inside of a form.</p><input value=x><button>Send</button></form>", "# A\n\nInside of a form."),
    ("<h1>A</h1><h2 id=navigation>Navigation</h2><p>Steer by the <span class='nav'>stars</span> as long as you "
     "can see them, and by the compass when you cannot.</p>",
     "# A\n\n## Navigation\n\nSteer by the stars as long as you can see them, and by the compass when you cannot."),
    ("<h1>A</h1><h2>On<!-- why? --> call</h2><p>By <button>x</button>turns.</p><a id=rota></a><svg/><h2>Rota</h2>",
     "# A\n\n## On call\n\nBy turns.\n\n## Rota"),
    ("<nav>n</nav>a&#1;b<h1>A</h1><pre>x<br>y&#2;</pre>", "ab\n\n# A\n\n```\nx\ny\n```"),
    ("<main></main><h1>A</h1><p>Written by a script.</p>", "# A\n\nWritten by a script."),
    ("<article><p>One.</p></article><article><p>Two.</p></article>", "# T\n\nOne.\n\nTwo."),
])
def test_how_it_is_written(body: str, text: str) -> None:
    assert read(f"<html><head><title>T</title></head><body>{body}</body></html>").text == text


def test_a_page_that_is_cut_off_in_the_middle_of_a_tag_is_read_so_far() -> None:
    assert read("<html><body><h1>Leave</h1><p>Ten days.<table><tr><td>a</td><td>b</td></tr><tr><td").text == (
        "# Leave\n\nTen days.\n\n| a | b |\n| --- | --- |")


def test_an_anchor_stays_inside_of_its_link() -> None:
    told = read("<h1 id='a)[x](http://e.test/>|'>A</h1><h2 id=Caf\u00e9.b-c:d%20>B</h2>"
                f"<h2 id={'x' * 10_000}>C</h2><p>Words.</p>")
    assert told.anchors == {"a": "a%29%5Bx%5D%28http://e.test/%3E%7C", "b": "Caf%C3%A9.b-c:d%20"}


def test_what_is_nested_deeper_than_anybody_reads_is_said_to_be() -> None:
    told = read("<html><body><h1>Leave</h1><p>Ten days.</p>" + "<b>and more " * 1_000)
    assert told.text.startswith("# Leave\n\nTen days.\n\nand more")
    assert told.note == "is nested too deeply; what comes before that is read"
    assert html(("<html><body>" + "<div>" * 1_000 + "deep").encode()) == Rejected("is nested too deeply")


def test_what_is_left_out_between_the_words_costs_no_more_than_the_words() -> None:
    parser = Parser(patience=15)        # with the page's length squared it would take a minute
    told = parser.content(f"<html><body><p>{'<script></script>word ' * 90_000}</p>".encode(), "page.html")
    parser.close()
    assert isinstance(told, Content), told
    assert told.text.count("word") == 90_000


TAGS = st.sampled_from([
    "div", "p", "ul", "ol", "li", "dl", "dt", "dd", "table", "tr", "td", "th", "h1", "h2", "pre", "code", "b", "a",
    "nav", "span", "section", "details", "br",
])


@given(st.lists(st.one_of(TAGS.map("<{}>".format), TAGS.map("</{}>".format), st.text(max_size=8)), max_size=60))
def test_whatever_tags_there_are_it_is_a_page_or_none(parts: list[str]) -> None:
    told = html(f"<html><body>{''.join(parts)}</body></html>".encode("utf-8", "replace"))
    assert isinstance(told, Rejected) or told.text.strip()
