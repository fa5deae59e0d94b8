"""What stands in the index: the pieces of a page with their vectors, one record a page, and one of the index itself.

The id of a piece says what ranking needs to know of it: 16 bytes, of which eight name its page, four its text, and
four its place there and which of its parts this is. A page's record has the same first eight.
"""

from __future__ import annotations

import hashlib
import uuid
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import gt
from typing import Any, Final

import msgspec

from adapters.qdrant.store import CHUNK, LIST, MANIFEST, RECORD, Hit, PassageStore, Point, Words
from engine.messages import Labels, Passage, PassageId
from engine.rag.locate import best_anchor

NAMESPACE: Final = uuid.UUID("6f3c7f0e-0d0b-5d64-9d1c-5b8f5a1e2c47")
FORMAT: Final = 2               # of the points; of the first one, ids said nothing and allow-lists were texts
DIGITS: Final = 3               # hexadecimal, at an id's end: they count the parts of a piece
RECORDED: Final = b"\xff" * 8   # ends the id of a record; no page has so many pieces


class Piece(msgspec.Struct, frozen=True):
    """One chunk with its vectors; ``dense`` is 32-bit floats in the machine's own order, one part after the other.

    ``anchors``: where in ``text`` its sections begin, and how each is opened.
    """

    text: str
    start: int
    end: int
    heading: str
    anchor: str
    hash: str
    dense: bytes
    indices: list[int]
    values: list[float]
    parts: int = 1
    anchors: list[tuple[int, str]] = []


@dataclass(frozen=True, slots=True)
class Record:
    """What the index knows of a page. Written after the page's pieces: an unfinished one has no hash."""

    document: str
    source: str
    hash: str
    version: str                        # of the chunker and the model
    acl: Labels
    url: str
    date: datetime | None = None
    channel: str = ""                   # where it was said, if it is chat


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index is made with. Another model or another chunker makes another generation."""

    model: str                          # "name:sha256 of its weights, shortened"
    chunker: str
    size: int                           # numbers of a dense vector
    sha256: tuple[tuple[str, str], ...] = ()    # of each of the model's files, in hex
    folder: str = ""                    # where the model was loaded from; "": the one that ships with the program
    format: int = FORMAT                # of its points

    @property
    def generation(self) -> str:
        """The same for the same making."""
        making = f"{self.model}\0{self.chunker}\0{self.size}" + (f"\0{self.format}" if self.format > 1 else "")
        return hashlib.sha256(making.encode()).hexdigest()[:12]


def list_id(acl: Labels) -> int:
    """The same for the same allow-list, whatever its order; 63 bits."""
    return int.from_bytes(_digest("\0".join(sorted(acl)))[:8]) >> 1     # the engines' integers are signed


def generation(record: Record) -> str:
    """Names one version of a page's text, so that the new pieces can stand beside the old until these are removed."""
    return hashlib.sha256(f"{record.hash}\0{record.version}".encode()).hexdigest()[:16]


def record_point(record: Record) -> Point:
    """A point without vectors: no search finds it."""
    return Point(record_id(record.document), {
        "kind": RECORD,
        "doc": record.document,
        "source": record.source,
        "channel": record.channel,
        "hash": record.hash,
        "version": record.version,
        "labels": sorted(record.acl),
        "url": record.url,
        "date": record.date.isoformat() if record.date else None,
    })


def record_id(document: str) -> str:
    """The id of a page's record point."""
    return _uuid(_page(document) + RECORDED)


def piece_id(document: str, content: str, number: int, part: int = 0) -> str:
    """The id of one part of a page's piece; the piece itself is the first part."""
    return _uuid(_page(document) + _digest(content)[:4] + (number << 4 * DIGITS | part).to_bytes(4))


def hit_of(point: str, score: float) -> Hit:
    """What a search found, by the id of its point."""
    return Hit(point[:-DIGITS] + "0" * DIGITS, f"{point[:18]}-ffff-ffffffffffff", point[19:28], score)


def ranked(found: Iterable[tuple[str, float]]) -> tuple[Hit, ...]:
    """Points and their scores, best first. The engines give equals in the order of their arrival."""
    hits = tuple(hit_of(*each) for each in found)
    scores = [hit.score for hit in hits]
    if all(map(gt, scores, scores[1:])):
        return hits
    return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.id)))


def record_of(payload: Mapping[str, Any]) -> Record:
    """What `record_point` wrote."""
    return Record(
        payload["doc"], payload["source"], payload["hash"], payload["version"], frozenset(payload["labels"]),
        payload["url"], datetime.fromisoformat(payload["date"]) if payload["date"] else None,
        payload.get("channel", ""),
    )


def writer_id(name: str) -> str:
    """The id of the mark of a folder that writes to a shared index."""
    return _id("", "writer", name)


def turn_id(name: str) -> str:
    """The id of its claim to be the only one that does so now."""
    return _id("", "turn", name)


def list_point(acl: Labels) -> Point:
    """One distinct allow-list, so that a reader of a shared index knows which there are."""
    return Point(_id("", "list", str(list_id(acl))), {"kind": LIST, "labels": sorted(acl)})


def manifest_point(manifest: Manifest) -> Point:
    """The index's own record."""
    return Point(MANIFEST_ID, {
        "kind": MANIFEST, "model": manifest.model, "chunker": manifest.chunker, "size": manifest.size,
        "sha256": dict(manifest.sha256), "folder": manifest.folder, "format": manifest.format,
    })


def manifest_of(payload: Mapping[str, Any]) -> Manifest:
    """What `manifest_point` wrote."""
    return Manifest(
        payload["model"], payload["chunker"], payload["size"], tuple(sorted(payload["sha256"].items())),
        payload["folder"], payload.get("format", 1),
    )


async def manifest_in(store: PassageStore) -> Manifest | None:
    """What this generation was made with; None: it is new, or of a version that did not say."""
    points = await store.fetch([MANIFEST_ID])
    return manifest_of(points[MANIFEST_ID].payload) if MANIFEST_ID in points else None


def piece_points(record: Record, pieces: Sequence[Piece]) -> list[Point]:
    """The pieces of one page, in the page's generation. The parts of a long one after the first only lead to it."""
    born, acl = generation(record), list_id(record.acl)
    points = []
    for number, piece in enumerate(pieces):
        common = {
            "kind": CHUNK, "doc": record.document, "source": record.source, "channel": record.channel,
            "acl": acl, "generation": born, "hash": piece.hash,
        }
        whole = {
            "text": piece.text, "heading": piece.heading, "anchor": piece.anchor, "start": piece.start,
            "end": piece.end, "anchors": [list(anchor) for anchor in piece.anchors],
        }
        first, *others = _rows(piece)
        words, key = Words(piece.indices, piece.values), piece_id(record.document, piece.hash, number)
        points.append(Point(key, common | whole, first, words))
        points += [
            Point(piece_id(record.document, piece.hash, number, part), {**common, "part": part}, row)
            for part, row in enumerate(others, 1)
        ]
    return points


def passage_of(
    point_id: str, payload: Mapping[str, Any], record: Record, score: float, questions: Sequence[str] = ()
) -> Passage:
    """What a reader gets to see; rights, address and date are the record's, which is the truth about them.

    It opens at the section that speaks most of what is asked.
    """
    anchor = best_anchor(payload["text"], payload["anchors"], questions, payload["heading"]) or payload["anchor"]
    return Passage(
        PassageId(point_id), payload["text"], payload["heading"], f"{record.url}#{anchor}" if anchor else record.url,
        score, record.acl, record.date, record.document, payload["start"], payload["end"],
    )


def _rows(piece: Piece) -> list[array[float]]:
    """The vectors of its parts."""
    numbers = array("f", piece.dense)
    size = len(numbers) // piece.parts
    return [numbers[at : at + size] for at in range(0, size * piece.parts, size or 1)]


def _page(document: str) -> bytes:
    return _digest(document)[:8]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _uuid(whole: bytes) -> str:
    return str(uuid.UUID(bytes=whole))


def _id(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "\0".join(parts)))


MANIFEST_ID: Final = _id("", "manifest")
