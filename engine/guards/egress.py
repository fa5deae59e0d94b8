"""The only door to a screen: what leaves here is `Cleared`, and platforms accept nothing else.

Every detector reports how far it has read the raw answer and found it fit to be seen; text is released up to
the *least* of these safe points, so a slow detector delays, and none is outrun. Errors, status lines and
apologies go through the same door.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from engine.errors import BotError, Refused
from engine.guards.verdict import Refuse, Reroute, Verdict
from engine.messages import Answer, Decision, Found, Mode, TraceId, Trail
from engine.ports import Edit, Fingerprint, OutboundGuard, Piece, Scan, StreamGuard, Text

_SEAL: Final = object()
LINKABLE: Final = ("https://", "http://", "file://", "/", "./")
BLOCKED: Final = "I may not show the answer to this."


class Cleared(str):
    """Text that every outbound guard has let pass. Whatever is computed from it is a plain ``str`` again."""

    __slots__ = ()

    def __new__(cls, text: str, seal: object) -> Cleared:
        """Only this module holds the seal."""
        if seal is not _SEAL:
            raise TypeError("only the egress clears text")
        return super().__new__(cls, text)


@dataclass(frozen=True, slots=True)
class Source:
    """One citation, fit to be shown."""

    marker: int
    title: Cleared
    url: str                    # empty when the source's address is not one that we link to
    quote: Cleared
    date: datetime | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole answer, fit to be shown. ``note`` is a sentence about it, when there is one to say."""

    text: Cleared
    sources: tuple[Source, ...]
    grounded: bool
    mode: Mode
    trace: TraceId
    note: Cleared


class Tripped(BotError):
    """A detector ended the answer. ``shown``: how many characters were visible by then."""

    def __init__(self, guard: str, verdict: Verdict, shown: int) -> None:
        super().__init__(f"{guard}: {verdict.rule}")
        self.guard, self.verdict, self.shown = guard, verdict, shown


@dataclass(slots=True)
class _Seat:
    """One detector at the table, and how far it has got."""

    guard: OutboundGuard
    stream: StreamGuard
    safe: int = 0
    edits: int = 0
    rule: str = ""


@dataclass(slots=True)
class Screen:
    """All detectors over one answer."""

    seats: list[_Seat]
    fingerprint: Fingerprint
    trail: Trail
    _shown: list[str] = field(default_factory=list)
    _raw: list[str] = field(default_factory=list)   # not yet released, beginning at _start
    _start: int = 0
    _end: int = 0
    _edits: list[Edit] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What has been released."""
        return "".join(self._shown)

    async def feed(self, piece: Piece) -> Cleared:
        """The text that is safe by now; often empty."""
        if isinstance(piece, Text):
            self._raw.append(piece.text)
            self._end += len(piece.text)
        for seat in self.seats:
            try:
                scan = await seat.stream.feed(piece)
            except Exception as error:
                raise self._broken(seat, error) from error
            self._note(seat, scan)
        return self._release(min((seat.safe for seat in self.seats), default=self._end))

    async def close(self) -> Cleared:
        """The rest, after every detector has seen the whole."""
        for seat in self.seats:
            try:
                scan = await seat.stream.close()
            except Exception as error:
                raise self._broken(seat, error) from error
            self._note(seat, scan)
        rest = self._release(self._end)
        for seat in self.seats:
            self._record(seat, "mask" if seat.edits else "allow", seat.rule)
        return rest

    def _note(self, seat: _Seat, scan: Scan) -> None:
        if scan.edits:
            self._edits.extend(scan.edits)
            seat.edits += len(scan.edits)
            seat.rule = scan.edits[-1].rule
        seat.safe = max(seat.safe, scan.safe)
        if isinstance(scan.verdict, Refuse | Reroute):
            verdict = scan.verdict
            self._record(seat, verdict.action, verdict.rule, verdict.category, verdict.score)
            raise Tripped(seat.guard.name, verdict, len(self.text))

    def _broken(self, seat: _Seat, error: Exception) -> Refused:
        """A detector that breaks has cleared nothing: closed."""
        self._record(seat, "error", type(error).__name__)
        return Refused(f"{seat.guard.name} broke: {type(error).__name__}", BLOCKED)

    def _record(self, seat: _Seat, action: str, rule: str, category: str = "", score: float | None = None) -> None:
        whole = self.text + "".join(self._raw)
        self.trail.decisions.append(
            Decision("out", seat.guard.name, seat.guard.version, action, rule, category, score,
                     self.fingerprint(whole), self._end, len(self.text))
        )

    def _release(self, until: int) -> Cleared:
        for edit in self._edits:        # one that ends beyond the safe point holds its beginning back, too
            if edit.start < until < edit.end:
                until = edit.start
        if until <= self._start:
            return Cleared("", _SEAL)
        raw = "".join(self._raw)
        ready, rest = raw[: until - self._start], raw[until - self._start :]
        if self._edits:
            ready = self._edited(ready, until)
        self._raw, self._start = [rest] if rest else [], until
        self._shown.append(ready)
        return Cleared(ready, _SEAL)

    def _edited(self, ready: str, until: int) -> str:
        """Applies the edits that end by ``until``. Of overlapping ones the first and longest wins."""
        due = sorted((e for e in self._edits if e.end <= until), key=lambda e: (e.start, -e.end))
        self._edits = [e for e in self._edits if e.end > until]
        parts, at = [], self._start
        for edit in due:
            if edit.end <= at:
                continue
            parts.append(ready[at - self._start : max(at, edit.start) - self._start])
            parts.append(edit.text if edit.start >= at else "")
            at = edit.end
        parts.append(ready[at - self._start :])
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Egress:
    """Opens a `Screen` for every answer and clears every sentence of our own."""

    guards: Sequence[OutboundGuard]
    fingerprint: Fingerprint

    def open(self, question: str, found: Found, trail: Trail) -> Screen:
        """One screen for one answer; detectors remember, so it is not used twice."""
        return Screen([_Seat(g, g.open(question, found)) for g in self.guards], self.fingerprint, trail)

    async def notice(self, text: str) -> Cleared:
        """A sentence of ours. Should a guard object to it, the plainest sentence stands in."""
        return await self._whole(text, Found(), BLOCKED)

    async def show(self, answer: Answer, trail: Trail, note: str = "") -> Shown:
        """The finished answer with its sources; screened anew, since policy may have changed since it was stored.

        Raises `Tripped` or `Refused`, and nothing of it is shown then.
        """
        found = Found(tuple(citation.passage for citation in answer.citations), answers=answer.grounded)
        screen = self.open("", found, Trail(trail.trace))
        await screen.feed(Text(answer.text))
        await screen.close()
        sources = [
            Source(
                citation.marker,
                await self._whole(citation.passage.title, Found(), ""),
                link(citation.passage.url),
                await self._whole(citation.passage.text, Found(), ""),
                citation.passage.date,
            )
            for citation in answer.citations
        ]
        return Shown(Cleared(screen.text, _SEAL), tuple(sources), answer.grounded, answer.mode, trail.trace,
                     await self._whole(note, Found(), ""))

    async def _whole(self, text: str, found: Found, instead: str) -> Cleared:
        if not text:
            return Cleared("", _SEAL)
        screen = self.open("", found, Trail(TraceId("")))
        try:
            await screen.feed(Text(text))
            await screen.close()
        except (Tripped, Refused):
            return Cleared(instead, _SEAL)
        return Cleared(screen.text, _SEAL)


def link(url: str) -> str:
    """The address if a reader may be sent there, else nothing: no other schemes, no blanks, no control characters."""
    fit = url.startswith(LINKABLE) and not any(c.isspace() or not c.isprintable() for c in url)
    return url if fit else ""
