"""The one door: nothing passes that a detector has not cleared, and every decision is noted once."""

from __future__ import annotations

import ast
import copy
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.errors import Refused
from engine.guards.citations import CitationGuard
from engine.guards.deflection import DeflectionGuard
from engine.guards.egress import BLOCKED, Cleared, Egress, Screen, Tripped, link
from engine.guards.links import LinkGuard
from engine.guards.secrets import SecretsGuard
from engine.guards.verdict import Refuse, Verdict
from engine.messages import Answer, Citation, Found, Mode, TraceId, Trail
from engine.ports import Edit, Finished, Piece, Reasoning, Scan, Text
from tests.builders import a_passage, an_answer
from tests.engine.guards.screens import CUTS, GUARDS, cut, fingerprint, watch

CANNED = "Sorry, that's beyond my current scope. Let's talk about something else."
KEY = "ghp_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R"


@dataclass
class Scripted:
    """A detector that says what it was told to say, one scan for each piece, then lets everything pass."""

    scans: Sequence[Scan | Exception] = ()
    name: str = "scripted"
    version: str = "1"
    read: int = 0
    left: list[Scan | Exception] = field(default_factory=list)

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Scripted:  # noqa: ARG002
        self.left, self.read = list(self.scans), 0
        return self

    async def feed(self, piece: Piece) -> Scan:
        self.read += len(piece.text) if isinstance(piece, Text) else 0
        if not self.left:
            return Scan(self.read)
        scan = self.left.pop(0)
        if isinstance(scan, Exception):
            raise scan
        return scan

    async def close(self) -> Scan:
        return await self.feed(Reasoning(""))


def a_screen(*guards: Scripted) -> Screen:
    return Egress(guards, fingerprint).open("", Found(), Trail(TraceId("t1")))


def noted(screen: Screen) -> list[tuple[str, str, str, int, int]]:
    return [(d.guard, d.action, d.rule, d.scanned, d.shown) for d in screen.trail.decisions]


async def test_the_slowest_detector_decides_what_is_seen() -> None:
    screen = a_screen(Scripted([Scan(4), Scan(6)], "slow"), Scripted(name="fast"))
    assert await screen.feed(Text("abcdef")) == "abcd"
    assert await screen.feed(Text("gh")) == "ef"
    assert await screen.close() == "gh"
    assert noted(screen) == [("slow", "allow", "", 8, 8), ("fast", "allow", "", 8, 8)]


async def test_reasoning_is_read_and_never_shown() -> None:
    screen = a_screen(Scripted())
    assert await screen.feed(Reasoning("they want the key")) == ""
    assert await screen.feed(Text("No.")) == "No."


async def test_edits_of_two_detectors_that_overlap_wait_for_each_other() -> None:
    # The first masks 0 to 10; the second masks 5 to 15, where only 10 are safe for all.
    screen = a_screen(
        Scripted([Scan(10, (Edit(0, 10, "[A]"),))], "a"), Scripted([Scan(15, (Edit(5, 15, "[B]"),))], "b"),
    )
    assert await screen.feed(Text("secretsecretsec and more")) == ""
    assert await screen.close() == "[A] and more"


async def test_an_edit_that_is_settled_only_later_holds_what_overlaps_it() -> None:
    late = Scripted([Scan(2), Scan(12, (Edit(2, 12, "[late]"),))], "late")
    screen = a_screen(Scripted([Scan(6, (Edit(4, 6, "[soon]"),)), Scan(12)], "soon"), late)
    assert await screen.feed(Text("ab cdefghi")) == "ab"
    assert await screen.feed(Text("jk")) == "[late]"
    assert await screen.close() == ""


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5),
       st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5))
async def test_of_what_any_detector_edits_nothing_is_seen(
    one: list[tuple[int, int]], other: list[tuple[int, int]],
) -> None:
    text = "".join(chr(0x100 + n) for n in range(30))
    edits = [tuple(Edit(min(span), max(span), "*") for span in spans) for spans in (one, other)]
    screen = a_screen(*(Scripted([Scan(30, each)], f"g{n}") for n, each in enumerate(edits)))
    shown = await screen.feed(Text(text)) + await screen.close()
    covered = {place for each in edits for edit in each for place in range(edit.start, edit.end)}
    assert [char for char in shown if char != "*"] == [char for n, char in enumerate(text) if n not in covered]


@pytest.mark.parametrize("scan", [
    Scan(99), Scan(-1), Scan(3, (Edit(2, 5, ""),)), Scan(3, (Edit(2, 1, ""),)), ValueError("no"),
])
async def test_a_detector_that_breaks_or_breaks_its_promise_has_cleared_nothing(scan: Scan | Exception) -> None:
    screen = a_screen(Scripted([scan], "bad"), Scripted(name="good"))
    with pytest.raises(Refused) as refused:
        await screen.feed(Text("abcd"))
    assert refused.value.reply == BLOCKED
    assert "abcd" not in str(refused.value)
    assert screen.text == ""
    assert [(d.guard, d.action) for d in screen.trail.decisions] == [("bad", "error"), ("good", "allow")]


async def test_a_safe_point_does_not_go_back_and_the_end_is_the_end() -> None:
    screen = a_screen(Scripted([Scan(3), Scan(2)]))
    await screen.feed(Text("abc"))
    with pytest.raises(Refused):
        await screen.feed(Text("d"))
    screen = a_screen(Scripted([Scan(3), Scan(3)]))
    await screen.feed(Text("abcd"))
    with pytest.raises(Refused):
        await screen.close()


async def test_a_verdict_ends_the_answer_and_what_the_others_saw_is_noted() -> None:
    verdict: Verdict = Refuse("no_weather", "topic", "I may not talk about the weather.")
    screen = a_screen(Scripted(name="first"), Scripted([Scan(2), Scan(2, verdict=verdict)], "second"))
    assert await screen.feed(Text("It rains")) == "It"
    with pytest.raises(Tripped) as tripped:
        await screen.feed(Text(" today"))
    assert (tripped.value.guard, tripped.value.verdict, tripped.value.shown) == ("second", verdict, 2)
    assert noted(screen) == [("first", "allow", "", 14, 2), ("second", "refuse", "no_weather", 14, 2)]
    with pytest.raises(RuntimeError):
        await screen.feed(Text("more"))
    screen.stop()
    assert len(screen.trail.decisions) == 2


async def test_the_model_server_s_own_filter_counts_as_a_deflection() -> None:
    screen = a_screen(Scripted([Scan(2)]))
    await screen.feed(Text("It rains"))
    with pytest.raises(Tripped) as tripped:
        await screen.feed(Finished("content_filter"))
    assert tripped.value.verdict.action == "reroute"
    assert ("backend", "reroute", "content_filter", 8, 2) in noted(screen)
    assert screen.finished == Finished("content_filter")


async def test_an_answer_that_is_given_up_is_noted_as_far_as_it_was_seen() -> None:
    screen = a_screen(Scripted([Scan(5)]))
    await screen.feed(Text("four weeks"))
    screen.stop()
    screen.stop()
    assert noted(screen) == [("scripted", "allow", "", 10, 5)]
    silent = a_screen(Scripted())
    silent.stop()
    assert noted(silent) == []


async def test_three_guards_at_one_table() -> None:
    seen = await watch([f"Use {KEY} [3], says the handbook [9]. ", f"The line is \"{CANNED}\", as [1] says."])
    assert seen.text == f'Use [GitHub token removed] [1], says the handbook. The line is "{CANNED}", as [2] says.'
    assert [(d.guard, d.action, d.rule) for d in seen.trail.decisions] == [
        ("secrets", "mask", "github"), ("deflection", "allow", ""), ("citations", "mask", "renumbered"),
    ]
    assert {d.text_hash for d in seen.trail.decisions} == {f"#{len(seen.text)}"}


PARTS = st.sampled_from([
    "Ask your lead. ", "[1]", " [3]", " [9]", KEY, f"password: {KEY}[2]", "`[1] ", "```\n", "\n", CANNED,
    f'"{CANNED}" ', "Sorry, ", "4111 1111 1111 1111 ", "-----BEGIN ", "中文。", "\ud800",
])


@given(st.lists(PARTS, max_size=8).map("".join), CUTS)
async def test_no_cut_changes_what_all_of_them_show(text: str, cuts: list[int]) -> None:
    whole = await watch([text])
    seen = await watch(cut(text, cuts))
    slow = await watch(list(text))
    assert whole.tripped == seen.tripped == slow.tripped
    assert slow.text.startswith(seen.text)
    assert KEY[4:8] not in slow.text
    if not whole.tripped:
        assert whole.text == seen.text == slow.text
        assert whole.trail == seen.trail == slow.trail
        assert all(d.scanned == d.shown == len(text) for d in slow.trail.decisions)


async def test_a_stored_answer_is_screened_again_before_it_is_shown() -> None:
    egress, trail = Egress(GUARDS, fingerprint), Trail(TraceId("t1"))
    source = a_passage(f"In row a[1]: {KEY}", title="Array [1]", url="javascript:alert(1)")
    shown = await egress.show(an_answer("Four weeks [1].", source), trail, note="One page [1] was away.")
    assert shown.text == "Four weeks [1]."
    assert shown.note == "One page [1] was away."
    (only,) = shown.sources
    assert (only.title, only.quote, only.url) == ("Array [1]", "In row a[1]: [GitHub token removed]", "")
    assert trail.decisions == []
    with pytest.raises(Tripped):
        await egress.show(Answer(CANNED, (), mode=Mode.MODEL), trail)
    assert [(d.guard, d.action) for d in trail.decisions] == [("deflection", "reroute")]


async def test_sentences_of_ours_go_through_the_same_door() -> None:
    egress = Egress((SecretsGuard(), DeflectionGuard(), CitationGuard()), fingerprint)
    assert await egress.notice(f"No login with {KEY} [1].") == "No login with [GitHub token removed] [1]."
    assert await egress.notice(CANNED) == CANNED            # no model said it
    assert await egress.notice("") == ""


@dataclass(slots=True)
class Reads:
    """A guard that lets everything pass, and says what it was asked about."""

    read: list[str] = field(default_factory=list)
    breaks: bool = False
    name = "reads"
    version = "1"

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> ReadsStream:  # noqa: ARG002
        return ReadsStream(self)


@dataclass(slots=True)
class ReadsStream:
    guard: Reads
    end: int = 0

    async def feed(self, piece: Piece) -> Scan:
        if self.guard.breaks:
            raise RuntimeError("broken")
        if isinstance(piece, Text):
            self.guard.read.append(piece.text)
            self.end += len(piece.text)
        return Scan(self.end)

    async def close(self) -> Scan:
        return Scan(self.end)


async def test_an_answer_of_this_turn_is_read_once_and_a_stored_one_again() -> None:
    reads = Reads()
    guards = (reads, CitationGuard())
    egress, trail = Egress(guards, fingerprint), Trail(TraceId("t1"))
    source = a_passage("Notice is four weeks.", title="Notice")
    screen = egress.open("how long?", Found((source,), answers=True), trail)
    await screen.feed(Text("Four weeks [1]. "))
    await screen.close()
    answer = Answer("Four weeks [1].", screen.citations, mode=Mode.MODEL, asked="how long?")
    for each in (egress, egress, Egress(guards, fingerprint)):
        shown = await each.show(answer, trail)
        assert (shown.text, [(s.title, s.quote) for s in shown.sources]) == (answer.text, [("Notice", source.text)])
    assert reads.read == ["Four weeks [1]. ", "Notice", source.text, "Four weeks [1].", "Notice", source.text]
    await egress.show(replace(answer, text="Five weeks [1]."), trail)
    assert reads.read[-1] == "Five weeks [1]."


async def test_a_sentence_that_a_broken_guard_did_not_read_is_read_when_it_is_well_again() -> None:
    reads = Reads(breaks=True)
    egress = Egress((reads,), fingerprint)
    assert await egress.notice("hello") == BLOCKED
    reads.breaks = False
    assert [await egress.notice("hello"), await egress.notice("hello"), reads.read] == ["hello", "hello", ["hello"]]


async def test_a_page_vouches_for_its_own_links_alone() -> None:
    here = a_passage("See https://a.example/x and https://b.example/y.", id="a", url="https://a.example/")
    there = a_passage("See https://b.example/y.", id="b", url="https://b.example/")
    egress = Egress((LinkGuard(), CitationGuard()), fingerprint)
    for _ in range(2):
        shown = await egress.show(an_answer("So [1][2].", here, there), Trail(TraceId("t1")))
        assert [s.quote for s in shown.sources] == ["See https://a.example/x and b.example.", there.text]


@pytest.mark.parametrize(("url", "shown"), [
    ("https://wiki.acme.example/leave#notice", "https://wiki.acme.example/leave#notice"),
    ("file:///srv/handbook/leave.md", "file:///srv/handbook/leave.md"),
    ("javascript:alert(1)", ""), ("https://a b", ""), ("https://a\u202eb", ""), ("data:text/html,x", ""), ("", ""),
])
def test_a_reader_is_sent_nowhere_odd(url: str, shown: str) -> None:
    assert link(url) == shown


async def test_cleared_text_cannot_be_made_elsewhere() -> None:
    with pytest.raises(TypeError):
        Cleared("hello", object())
    with pytest.raises(TypeError):
        type("Kin", (Cleared,), {})
    cleared = await Egress((), fingerprint).notice("hello")
    assert type(cleared) is Cleared
    assert type(cleared + "!") is type(cleared[:2]) is type(cleared.upper()) is str
    with pytest.raises(TypeError):
        copy.copy(cleared)
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(cleared))  # noqa: S301 - our own


def _names(*nodes: ast.AST) -> set[str]:
    inner = [node for outer in nodes for node in ast.walk(outer)]
    return {getattr(node, "id", "") or getattr(node, "attr", "") or getattr(node, "name", "") for node in inner}


def forgeries(tree: ast.AST) -> list[int]:
    """Lines that make cleared text, or a kind of it, or reach for the seal."""
    lines = []
    for node in ast.walk(tree):
        forged = False
        if isinstance(node, ast.Call):
            makes = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            forged = makes == "Cleared" or (makes in ("__new__", "cast") and "Cleared" in _names(*node.args))
        elif isinstance(node, ast.ClassDef):
            forged = "Cleared" in _names(*node.bases)
        elif isinstance(node, ast.Name | ast.Attribute | ast.ImportFrom):
            forged = "_SEAL" in _names(node)
        if forged:
            lines.append(getattr(node, "lineno", 0))
    return lines


@pytest.mark.parametrize("code", [
    "Cleared('x', seal)", "egress.Cleared('x', 1)", "str.__new__(Cleared, 'x')", "cast(Cleared, 'x')",
    "class Kin(Cleared): pass", "from engine.guards.egress import _SEAL", "egress._SEAL",
])
def test_a_forgery_is_seen(code: str) -> None:
    assert forgeries(ast.parse(code))


def test_nothing_but_the_egress_makes_cleared_text() -> None:
    root = Path(engine.__file__).parent.parent
    files = [path for folder in ("engine", "adapters", "bot") for path in (root / folder).rglob("*.py")]
    assert root / "engine/guards/egress.py" in files
    found = {str(path): forgeries(ast.parse(path.read_text("utf-8"))) for path in files}
    assert [path for path, lines in found.items() if lines] == [str(root / "engine/guards/egress.py")]


def test_citations_of_a_table_without_them() -> None:
    screen = a_screen(Scripted())
    assert (screen.citations, screen.dropped_marks) == ((), 0)
    assert Citation(1, a_passage()).marker == 1
