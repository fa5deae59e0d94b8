"""One reading of an answer that all its detectors share.

A `Page` is one text as it comes in, placed in Markdown once for everybody. A `Reader` looks at what was added and says
how far the text is safe; what it finds it writes on the page. A `Panel` is all readers of one text, and `Detector` is
what a guard sends to it for one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from engine.guards.markup import Markup, Where
from engine.guards.verdict import Verdict
from engine.guards.words import Words
from engine.messages import Found
from engine.ports import Edit, OutboundGuard, Scan


class Page:
    """A text, piece by piece: the last one is ``text``, from offset ``begin`` to ``end`` of the whole."""

    __slots__ = (
        "_fresh", "_markdown", "_markup", "_words", "begin", "by", "edits", "end", "final", "news", "placed",
        "stretches", "text", "verdict",
    )

    def __init__(self, *, markdown: bool = True) -> None:
        """``markdown``: somebody asks what the text is in Markdown."""
        self._markdown = markdown
        self._markup = Markup()
        self._words = Words()
        self._fresh = False         # the words of this piece have not been asked for
        self.text = ""
        self.begin = self.end = 0
        self.final = False
        self.stretches: list[tuple[Where, int, str]] = []   # what has been placed in Markdown by now and not before
        self.placed = 0             # how many characters from the start have their place in Markdown
        self.news = False           # a reader found something in this piece
        self.edits: list[Edit] = []
        self.verdict: Verdict | None = None
        self.by: int | None = None

    def turn(self, text: str, *, final: bool = False) -> None:
        """The next piece; ``final``: there will be no other."""
        self.text, self.final = text, final
        self.begin = self.end
        self.end += len(text)
        if self._markdown:
            self.stretches = self._markup.read(text, final=final)
            self.placed = self._markup.placed
        self._fresh = True

    def words(self) -> Words:
        """What may be encoded in it; who looks asks at every piece."""
        if self._fresh:
            self._words.read(self.text, final=self.final)
            self._fresh = False
        return self._words

    def edit(self, edit: Edit) -> None:
        """A reader wants to have this shown otherwise; to be said before its characters are safe."""
        self.edits.append(edit)
        self.news = True

    def judge(self, verdict: Verdict, by: int | None = None) -> None:
        """A reader's verdict, and how many characters had to be read for it."""
        self.verdict, self.by = verdict, by
        self.news = True

    def found(self, safe: int) -> Scan:
        """What one reader wrote, and the page is blank again."""
        scan = Scan(safe, tuple(self.edits), self.verdict, self.by)
        self.edits, self.verdict, self.by, self.news = [], None, None, False
        return scan


class Reader(Protocol):
    """Reads one text, piece by piece."""

    def read(self, page: Page) -> int:
        """How many characters from the start are safe now; it never goes back."""
        ...


Opened: TypeAlias = "Callable[[], Reader]"


@dataclass(slots=True)
class Detector:
    """What one guard looks for in one answer. Each of the readers is new for each text."""

    opened: Opened                      # of one leaf, or of an answer that is no JSON
    within: bool = True                 # whether it reads the strings of JSON, too
    around: Opened | None = None        # of JSON as it stands, quotation marks and all
    thoughts: Opened | None = None      # of the reasoning
    heard: Callable[[], None] | None = None         # told that there is some
    ruled: Callable[[Scan], Scan] | None = None     # what is to become of a find
    deaf: bool = False                  # ruled that it is not to be heard any more


class LeafGuard(Protocol):
    """An outbound guard that reads what an answer says, under its wrapping."""

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector | None:
        """For one answer; None: it cannot share a reading, and is to be opened by itself."""
        ...


def shared(
    guard: OutboundGuard, question: str, found: Found, flags: tuple[str, ...] = (),
) -> Detector | None:
    """What a guard looks for in one answer; None: it cannot share a reading."""
    # By name: to ask whether it is a `LeafGuard` takes longer than many a guard takes for a whole answer.
    detector: Callable[[str, Found, tuple[str, ...]], Detector | None] | None = getattr(guard, "detector", None)
    return None if detector is None else detector(question, found, flags)


class ReaderBroke(Exception):
    """One reader of several failed; ``which`` says whose, and the cause says how."""

    def __init__(self, which: int) -> None:
        super().__init__(which)
        self.which = which


class Panel:
    """The readers of one text, and what they found in its last piece: whose find, and the find."""

    __slots__ = ("_reads", "_whose", "finds", "page")

    def __init__(self, readers: Sequence[tuple[int, Reader]]) -> None:
        """Each reader with the number of its detector."""
        self._whose = [which for which, _ in readers]
        self._reads = [reader.read for _, reader in readers]
        self.page = Page()
        self.finds: list[tuple[int, Scan]] = []

    def read(self, text: str, *, final: bool = False) -> int:
        """How many characters from the start all of them have cleared. Raises `ReaderBroke`."""
        page = self.page
        page.turn(text, final=final)
        if self.finds:
            self.finds = []
        safe = page.end
        read = None
        try:
            for read in self._reads:
                cleared = read(page)
                if cleared < safe:      # noqa: PLR1730 - half as dear as a call of min
                    safe = cleared
                if page.news:
                    self.finds.append((self._whose[self._reads.index(read)], page.found(cleared)))
        except Exception as error:
            raise ReaderBroke(self._whose[self._reads.index(read)] if read else 0) from error
        return safe

    def drop(self, which: int) -> None:
        """A detector that is not listened to any more."""
        kept = [at for at, whose in enumerate(self._whose) if whose != which]
        self._reads, self._whose = [self._reads[at] for at in kept], [self._whose[at] for at in kept]


def ends(verdict: Verdict | None) -> bool:
    """Whether a verdict says that an answer may not go on."""
    return verdict is not None and verdict.action in ("refuse", "reroute")

