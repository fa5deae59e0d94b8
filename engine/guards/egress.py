"""The only door to a screen: what leaves here is `Cleared`, and platforms accept nothing else.

Every detector reports how far it has read the raw answer and found it fit to be seen; text is released up to
the *least* of these safe points, so a slow detector delays, and none is outrun. Errors, status lines and
apologies go through the same door.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias

from engine.errors import BotError, Refused
from engine.guards.citations import CitationGuard, Marking, Marks
from engine.guards.leaves import IN_REASONING, Reading
from engine.guards.page import Detector, ReaderBroke, shared
from engine.guards.recent import Recent
from engine.guards.verdict import SHADOW, Allow, Refuse, Reroute, Verdict
from engine.messages import Answer, Citation, Decision, Found, Mode, Passage, TraceId, Trail
from engine.ports import Edit, Fingerprint, Finished, OutboundGuard, Piece, Scan, StreamGuard, Text

_SEAL: Final = object()
LINKABLE: Final = ("https://", "http://", "file://", "/", "./")
BACKEND: Final = "backend"
"""Stands in for a detector's name where the model's own server ended an answer."""
BLOCKED: Final = "I may not show the answer to this."
JUDGES: Final = frozenset({"deflection", "refusal", "narrative", "unsafe", "model", "nemo"})
"""Guards that judge how a model behaves: neither our own sentences nor pages that are quoted were said by one."""
WHILE_SAID: Final = JUDGES - {"deflection"}
"""Those of them that judge an answer with its question, while it is said; a stored one is not judged anew."""


class Cleared(str):
    """Text that every outbound guard has let pass. Whatever is computed from it is a plain ``str`` again."""

    __slots__ = ()

    def __new__(cls, text: str, seal: object) -> Cleared:
        """Only this module holds the seal."""
        if seal is not _SEAL:
            raise TypeError("only the egress clears text")
        return str.__new__(cls, text)

    def __init_subclass__(cls) -> None:
        """A kind of cleared text would clear itself."""
        raise TypeError("there is one kind of cleared text")


_EMPTY: Final = Cleared("", _SEAL)


def joined(pieces: Iterable[Cleared]) -> Cleared:
    """Pieces of one answer, in the order in which they were released: what stands on a screen by then."""
    return Cleared("".join(pieces), _SEAL)


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
    """One detector at the table, how far it has got, and what is to be noted about it."""

    guard: OutboundGuard
    stream: StreamGuard | None = None   # None: it shares the reading
    detector: Detector | None = None
    safe: int = 0
    action: str = "allow"
    rule: str = ""
    category: str = ""
    score: float | None = None
    shadows: dict[str, Allow] = field(default_factory=dict)     # what rules in shadow would have done besides

    def note(self, action: str, rule: str, category: str = "", score: float | None = None) -> None:
        """A later word replaces an earlier one, except that an edit does not hide a flag on what is shown."""
        if self.rule.startswith(SHADOW) and rule != self.rule:
            self.shadows[self.rule] = Allow(self.rule, self.category, self.score)
        if not (action == "mask" and self.action == "flag") or self.rule.endswith(IN_REASONING):
            self.action, self.rule, self.category, self.score = action, rule, category, score


@dataclass(slots=True)
class Screen:
    """All detectors over one answer. It ends once: by `close`, by `stop`, or by what `feed` and `close` raise."""

    seats: list[_Seat]
    fingerprint: Fingerprint
    trail: Trail
    reading: Reading            # of all detectors that share one
    over: Callable[[str, tuple[Citation, ...]], None] | None = None     # told the whole, once it is cleared
    finished: Finished | None = None    # how the model said that it ended
    ended: bool = False
    _shown: list[str] = field(default_factory=list)
    _visible: int = 0
    _raw: str = ""              # not yet released, beginning at _start
    _start: int = 0
    _end: int = 0
    _edits: list[Edit] = field(default_factory=list)
    _together: list[_Seat] = field(init=False)
    _alone: list[_Seat] = field(init=False)

    def __post_init__(self) -> None:
        """Detectors that share the reading come in the order of their seats."""
        self._together = [seat for seat in self.seats if seat.stream is None]
        self._alone = [seat for seat in self.seats if seat.stream is not None]

    @property
    def text(self) -> str:
        """What has been released."""
        return "".join(self._shown)

    @property
    def released(self) -> int:
        """How many characters of what the model said are out; edits do not count, what they replaced does."""
        return self._start

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What the answer cites by now, when a `CitationGuard` sits at the table."""
        marks = self._marks
        return marks.citations if marks else ()

    @property
    def dropped_marks(self) -> int:
        """How many marks pointed at no passage by now."""
        marks = self._marks
        return marks.dropped if marks else 0

    @property
    def _marks(self) -> Marks | None:
        return next((seat.detector.marks for seat in self.seats if isinstance(seat.detector, Marking)), None)

    async def feed(self, piece: Piece) -> Cleared:
        """The text that is safe by now; often empty.

        Raises `Tripped` when a detector, or the model's own server, ends the answer, and `Refused` when a
        detector breaks.
        """
        if self.ended:
            self._still_open()
        if isinstance(piece, Text):
            self._raw += piece.text
            self._end += len(piece.text)
        elif isinstance(piece, Finished):
            self.finished = piece
        reading = self.reading
        try:
            safe = reading.read(piece)
        except ReaderBroke as broke:
            raise self._one_broke(broke) from broke.__cause__
        if safe > self._end:            # noqa: PLR1730 - half as dear as a call of min
            safe = self._end
        if reading.finds or self._alone:
            ends: list[tuple[int, _Seat, Scan]] = []
            for which, scan in reading.finds:
                self._found(ends, which, scan)
            for seat in self._alone:
                await self._ask(seat, piece, ends)
                safe = min(safe, seat.safe)
            if ends:
                self._ends(ends)
        if self.finished is not None and self.finished.reason == "content_filter":
            self._note_backend()
        return self._release(safe) if safe > self._start else _EMPTY

    async def close(self) -> Cleared:
        """The rest, after every detector has seen the whole. Raises like `feed`."""
        self._still_open()
        ends: list[tuple[int, _Seat, Scan]] = []
        try:
            self.reading.close()
        except ReaderBroke as broke:
            raise self._one_broke(broke) from broke.__cause__
        for which, scan in self.reading.finds:
            self._found(ends, which, scan)
        for seat in self._alone:
            assert seat.stream is not None      # noqa: S101 - that is what makes it be alone
            try:
                scan = await seat.stream.close()
                if isinstance(scan.verdict, Refuse | Reroute):
                    ends.append((self._end + 1 if scan.by is None else scan.by, seat, scan))
                    continue
                if scan.safe != self._end:
                    raise ValueError("closed before the end")   # noqa: TRY301 - the same as breaking
                self._take(seat, scan)
            except Exception as error:
                raise self._broken(seat, error) from error
        if ends:
            self._ends(ends)
        rest = self._release(self._end)
        self.trail.dropped_marks += self.dropped_marks
        self.stop()
        if self.over is not None:
            self.over(self.text, self.citations)
        return rest

    def stop(self) -> None:
        """Nothing more will be shown: the answer is whole, or was given up. Notes each detector's last word.

        Of an answer of which nothing came there is nothing to note.
        """
        if self.ended:
            return
        self.ended = True
        if not self._end and all(seat.action == "allow" for seat in self.seats):
            return
        digest = self._digest()
        for seat in self.seats:
            last = (seat.action, seat.rule, seat.category, seat.score)
            shadows = [("allow", each.rule, each.category, each.score) for each in seat.shadows.values()
                       if each.rule != seat.rule]
            self.trail.decisions += [
                Decision("out", seat.guard.name, seat.guard.version, *noted, digest, self._end, self._start)
                for noted in (*shadows, last)
            ]
        self._raw, self._edits = "", []

    async def _ask(self, seat: _Seat, piece: Piece, ends: list[tuple[int, _Seat, Scan]]) -> None:
        """Takes what one detector that reads alone says of the next piece."""
        assert seat.stream is not None      # noqa: S101 - that is what makes it be alone
        try:
            scan = await seat.stream.feed(piece)
            if scan.verdict is None and not scan.edits and seat.safe <= scan.safe <= self._end:
                seat.safe = scan.safe       # nearly always
            elif isinstance(scan.verdict, Refuse | Reroute):
                ends.append((self._end if scan.by is None else scan.by, seat, scan))
            else:
                self._take(seat, scan)
        except Exception as error:
            raise self._broken(seat, error) from error

    def _found(self, ends: list[tuple[int, _Seat, Scan]], which: int, scan: Scan) -> None:
        """Takes one find of the shared reading, as the policy rules it."""
        seat = self._together[which]
        detector = seat.detector
        if detector is None or detector.deaf:
            return
        try:
            ruled = detector.ruled(scan) if detector.ruled is not None else scan
            if isinstance(ruled.verdict, Refuse | Reroute):
                ends.append((self._end + 1 if ruled.by is None else ruled.by, seat, ruled))
                return
            if isinstance(scan.verdict, Refuse | Reroute):
                detector.deaf = True
                self.reading.drop(which)
            self._take(seat, replace(ruled, safe=max((edit.end for edit in ruled.edits), default=self._start)))
        except Exception as error:
            raise self._broken(seat, error) from error

    def _digest(self) -> str:
        return self.fingerprint(self.text + self._raw)

    def _still_open(self) -> None:
        if self.ended:
            raise RuntimeError("this answer has ended")

    def _take(self, seat: _Seat, scan: Scan) -> None:
        """Believes a scan that keeps the port's promises; anything else is a broken detector."""
        before = self._start if seat.stream is None else seat.safe
        seat.safe = scan.safe
        if not before <= scan.safe <= self._end and not isinstance(scan.verdict, Refuse | Reroute):
            raise ValueError("safe point out of order")
        if scan.edits:
            if any(not before <= edit.start <= edit.end <= scan.safe for edit in scan.edits):
                raise ValueError("edit out of place")
            self._edits.extend(scan.edits)
            self._edits.sort(key=lambda edit: (edit.start, -edit.end))
            seat.note("mask", scan.edits[-1].rule)
        verdict = scan.verdict
        # What a rule in shadow would have done is on record, and hides nothing that was done.
        if isinstance(verdict, Allow) and seat.action != "allow" and verdict.rule.startswith(SHADOW):
            seat.shadows[verdict.rule] = verdict
        if verdict is not None and (verdict.action != "allow" or (verdict.rule and seat.action == "allow")):
            seat.note(verdict.action, verdict.rule, verdict.category, verdict.score)

    def _ends(self, ends: list[tuple[int, _Seat, Scan]]) -> None:
        """Of several detectors that end the answer the one counts that had to read least for it."""
        _, seat, scan = min(ends, key=lambda end: end[0])
        verdict = scan.verdict
        assert isinstance(verdict, Refuse | Reroute)    # noqa: S101 - no other is handed in
        self._take(seat, Scan(seat.safe, verdict=verdict))
        self.stop()
        raise Tripped(seat.guard.name, verdict, self._visible)

    def _note_backend(self) -> None:
        """The model's server cut the answer off: somebody else's filter, so another family is asked."""
        verdict = Reroute("content_filter", "deflection")
        self.trail.decisions.append(
            Decision("out", BACKEND, "", verdict.action, verdict.rule, verdict.category, None, self._digest(),
                     self._end, self._start)
        )
        self.stop()
        raise Tripped(BACKEND, verdict, self._visible)

    def _one_broke(self, broke: ReaderBroke) -> Refused:
        """The same of one that shares the reading."""
        return self._broken(self._together[broke.which], broke.__cause__ or broke)

    def _broken(self, seat: _Seat, error: BaseException) -> Refused:
        """A detector that breaks has cleared nothing: closed."""
        seat.note("error", type(error).__name__)
        self.stop()
        return Refused(f"{seat.guard.name} broke: {type(error).__name__}", BLOCKED)

    def _release(self, until: int) -> Cleared:
        if self._edits:
            for edit in reversed(self._edits):      # what ends beyond the safe point is held from its beginning
                if edit.end > until:
                    until = min(until, edit.start)
        size = until - self._start
        if size <= 0:
            return _EMPTY
        ready, self._raw = self._raw[:size], self._raw[size:]
        if self._edits:
            ready = self._edited(ready, until)
        self._start = until
        if not ready:
            return _EMPTY
        self._shown.append(ready)
        self._visible += len(ready)
        return Cleared(ready, _SEAL)

    def _edited(self, ready: str, until: int) -> str:
        """Applies the edits that end by ``until``. Of overlapping ones the first and longest speaks for all."""
        due = [edit for edit in self._edits if edit.end <= until]
        self._edits = [edit for edit in self._edits if edit.end > until]
        parts: list[str] = []
        at = self._start
        for edit in due:
            if edit.start >= at:
                parts += ready[at - self._start : edit.start - self._start], edit.text
            at = max(at, edit.end)
        parts.append(ready[at - self._start :])
        return "".join(parts)


Sentences: TypeAlias = "Recent[tuple[str, str, str, str], Cleared]"
"""What stands beside answers, as it was cleared: the text, what stands in for it, and text and address of its page."""
Said: TypeAlias = "Recent[tuple[str, str, tuple[Citation, ...], bool], Cleared]"
"""Whole answers: question, text, what is cited, and whether it is a quotation."""
_SENTENCES: Final = 1024
_LONGEST: Final = 4096          # characters of a sentence that is kept
_ANSWERS: Final = 4             # one turn makes one


def sentences() -> Sentences:
    """Room for what the guards of one set of rules clear again and again."""
    return Recent(_SENTENCES)


def _answers() -> Said:
    return Recent(_ANSWERS)


@dataclass(frozen=True, slots=True)
class Egress:
    """Opens a `Screen` for every answer and clears every sentence of our own.

    Titles and quotations of pages, and sentences of ours, come again and again: each is read once under the same
    rules, so ``known`` may be shared by those who have the same guards, and by nobody else.
    """

    guards: Sequence[OutboundGuard]
    fingerprint: Fingerprint
    known: Sentences = field(default_factory=sentences, repr=False, compare=False)
    _said: Said = field(default_factory=_answers, init=False, repr=False, compare=False)

    def open(self, question: str, found: Found, trail: Trail, flags: tuple[str, ...] = ()) -> Screen:
        """One screen for one answer; detectors remember, so it is not used twice.

        ``flags``: the categories that the inbound side asks to be looked at more closely.
        """
        return self._screen(self.guards, question, found, trail, flags, over=partial(self._keep, question, False))

    def recite(self, question: str, found: Found, trail: Trail) -> Screen:
        """One screen for pages that are quoted word for word."""
        return self._screen(self._without(JUDGES), question, found, trail, over=partial(self._keep, question, True))

    async def notice(self, text: str) -> Cleared:
        """A sentence of ours. Should a guard object to it, the plainest sentence stands in."""
        return await self._plain(text, BLOCKED)

    async def show(self, answer: Answer, trail: Trail, note: str = "") -> Shown:
        """The finished answer with its sources.

        One that an earlier attempt made is screened anew, since policy may have changed since it was stored. The
        decisions were noted when the answer was made; only an objection is noted again. Raises `Tripped` or `Refused`
        then, and nothing of the answer is shown.
        """
        text = self._said.get((answer.asked, answer.text, answer.citations, answer.mode is Mode.QUOTE))
        if text is None:
            text = await self._again(answer, trail)
        sources = [
            Source(
                citation.marker,
                await self._plain(citation.passage.title, "", citation.passage),
                link(citation.passage.url),
                await self._plain(citation.passage.text, "", citation.passage),
                citation.passage.date,
            )
            for citation in answer.citations
        ]
        return Shown(text, tuple(sources), answer.grounded, answer.mode, trail.trace, await self._plain(note, ""))

    async def _again(self, answer: Answer, trail: Trail) -> Cleared:
        """The text of an answer that was stored."""
        found = Found(tuple(citation.passage for citation in answer.citations), answers=answer.grounded)
        again = Trail(trail.trace)
        try:
            guards = self._without(JUDGES if answer.mode is Mode.QUOTE else WHILE_SAID)
            return await self._whole(self._screen(guards, answer.asked, found, again), answer.text)
        except (Tripped, Refused):
            trail.decisions += [decision for decision in again.decisions if decision.action not in ("allow", "mask")]
            raise

    def _keep(self, question: str, quoted: bool, text: str, citations: tuple[Citation, ...]) -> None:
        """An answer of this turn that was cleared as it was said."""
        text = text.strip()
        self._said.put((question, text, citations, quoted), Cleared(text, _SEAL))

    def _without(self, names: Collection[str]) -> list[OutboundGuard]:
        return [guard for guard in self.guards if guard.name not in names]

    async def _plain(self, text: str, instead: str, page: Passage | None = None) -> Cleared:
        """A text that cites nothing: a ``[1]`` in it is its own affair. Links to the host of its own page stay."""
        if not text:
            return _EMPTY
        key = (text, instead, page.text if page else "", page.url if page else "")
        if (known := self.known.get(key)) is not None:
            return known
        guards = [guard for guard in self._without(JUDGES) if not isinstance(guard, CitationGuard)]
        try:
            cleared = await self._whole(
                self._screen(guards, "", Found((page,) if page else ()), Trail(TraceId(""))), text)
        except Tripped:
            cleared = Cleared(instead, _SEAL)
        except Refused:                 # a guard that broke may be well again next time
            return Cleared(instead, _SEAL)
        return self.known.put(key, cleared) if len(text) <= _LONGEST else cleared

    def _screen(
        self, guards: Sequence[OutboundGuard], question: str, found: Found, trail: Trail, flags: tuple[str, ...] = (),
        *, over: Callable[[str, tuple[Citation, ...]], None] | None = None,
    ) -> Screen:
        seats = []
        for guard in guards:
            detector = shared(guard, question, found, flags)
            seats.append(_Seat(guard, None if detector else guard.open(question, found, flags), detector))
        reading = Reading([seat.detector for seat in seats if seat.detector is not None])
        return Screen(seats, self.fingerprint, trail, reading, over)

    @staticmethod
    async def _whole(screen: Screen, text: str) -> Cleared:
        await screen.feed(Text(text))
        await screen.close()
        return Cleared(screen.text, _SEAL)


def link(url: str) -> str:
    """The address if a reader may be sent there, else nothing: no other schemes, no blanks, no control characters."""
    fit = url.startswith(LINKABLE) and not any(c.isspace() or not c.isprintable() for c in url)
    return url if fit else ""
