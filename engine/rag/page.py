"""What a source of documents hands over, who may read it, and the port by which it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Protocol, runtime_checkable
from unicodedata import normalize

from engine.messages import Labels


class Form(StrEnum):
    """How a page's text is cut into chunks."""

    MARKDOWN = "markdown"
    PAGES = "pages"                     # Markdown whose headings are page numbers, and no title
    TEXT = "text"
    PYTHON = "python"
    CODE = "code"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Page:
    """One document as text, whatever it was before."""

    path: str                           # inside its source, with "/" between the parts
    text: str
    name: str                           # stands in for a title that the page itself does not have
    url: str                            # where a reader opens it; headings are reached by "#anchor"
    date: datetime | None = None        # aware, UTC: when it was last changed, if it or its source says so
    note: str = ""                      # what was not quite right with it, for the report
    form: Form = Form.MARKDOWN
    acl: Labels | None = None           # what the source itself says; None: it does not say
    anchors: Mapping[str, str] | None = None    # a heading's slug to its anchor at ``url``; None: they are the same
    mark: str = ""                      # by which a `Marking` source knows this version again

    @property
    def hash(self) -> str:
        """SHA-256 of everything that its chunks are made from, in hex."""
        parts = [self.name, self.text]
        if self.form is not Form.MARKDOWN:
            parts.append(self.form)
        if self.anchors is not None:
            parts += (f"{slug}={anchor}" for slug, anchor in sorted(self.anchors.items()))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """A document that is there. ``stamp`` changes whenever its text might have; "": read it to find out.

    ``url`` and ``acl`` outrank those of the page. A source that says ``acl`` of its pages says it here, too.
    """

    path: str
    stamp: str = ""
    url: str = ""
    acl: Labels | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that is there and cannot be read. A ``path`` that ends in "/", or "", is a whole folder."""

    path: str
    why: str
    lasting: bool = field(default=False, compare=False)     # it will stay so until the document changes
    gone: bool = field(default=False, compare=False)        # whoever has it says that there is none: it is forgotten
    barred: bool = field(default=False, compare=False)      # whoever has it asks who we are: nobody finds it any more


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since a cursor: documents that are new or may have changed, and paths that are gone."""

    touched: tuple[Entry | Unreadable, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read a source's pages: what the source says of a page, else the first rule, else ``acl``.

    A rule's pattern is a path in which ``*`` stands for anything, slashes included: ``hr/*``. An umlaut is the same
    in one sign or in two, as some systems write it: a rule that does not fit leaves a page to more readers.
    """

    acl: Labels
    rules: tuple[tuple[str, Labels], ...] = ()

    def of(self, path: str, said: Labels | None = None) -> Labels:
        """The allow-list of one page. Empty: nobody."""
        if said is not None:
            return said
        return next((acl for pattern, acl in self.rules if fits(pattern, path)), self.acl)


def fits(pattern: str, path: str) -> bool:
    """Whether a rule is about that path. Brackets in it are brackets, or a choice of letters: nobody can tell which."""
    path, pattern = normalize("NFC", path), normalize("NFC", pattern)
    return fnmatchcase(path, pattern.replace("[", "[[]")) or fnmatchcase(path, pattern)


class Source(Protocol):
    """Somewhere that pages come from. Its methods block: they are for a worker thread.

    Each sync calls `cursor` first, so that what happens after it belongs to the next sync.
    """

    @property
    def name(self) -> str: ...

    def cursor(self) -> str:
        """Names the present state for `changes`; "": this source cannot tell what changed since."""
        ...

    def changes(self, cursor: str) -> Changes | None:
        """What happened between ``cursor`` and the state that the last call of `cursor` named; None: list it all."""
        ...

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Everything that is there now, in order. ``Unreadable("", why)``: the source is away.

        One that is there, and has nothing, lists nothing, or ``Unreadable("", why, gone=True)``.
        """
        ...

    def read(self, path: str) -> Page | Unreadable: ...

    def close(self) -> None:
        """Lets go of processes and connections; a later call takes them up again."""
        ...


@runtime_checkable
class Marking(Protocol):
    """A source that can be asked whether a page is still what it was, which costs less than reading it."""

    def read_since(self, path: str, mark: str) -> Page | Unreadable | None:
        """As `Source.read`; None: it is what had this mark when it was read."""
        ...


class Listed:
    """The half of a `Source` that keeps no record of its changes: each time it is listed as a whole."""

    __slots__ = ()

    def cursor(self) -> str:
        """There is none."""
        return ""

    def changes(self, cursor: str) -> Changes | None:
        """Nobody can tell."""
        del cursor
        return None
