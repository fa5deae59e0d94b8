"""What stands in the index: the pieces of a page with their vectors, and one record a page."""

from __future__ import annotations

import hashlib
import uuid
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import qdrant_edge as edge

from engine.messages import Labels, Passage, PassageId

DENSE: Final = "dense"
SPARSE: Final = "bm25"
CHUNK: Final = "chunk"
RECORD: Final = "record"
NAMESPACE: Final = uuid.UUID("6f3c7f0e-0d0b-5d64-9d1c-5b8f5a1e2c47")


class Piece(msgspec.Struct, frozen=True):
    """One chunk with both of its vectors; ``dense`` is 32-bit floats in the machine's own order."""

    text: str
    start: int
    end: int
    heading: str
    anchor: str
    hash: str
    dense: bytes
    indices: list[int]
    values: list[float]


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


def list_id(acl: Labels) -> str:
    """The same for the same allow-list, whatever its order."""
    return hashlib.sha256("\0".join(sorted(acl)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def generation(record: Record) -> str:
    """Names one version of a page's text, so that the new pieces can stand beside the old until these are removed."""
    return hashlib.sha256(f"{record.hash}\0{record.version}".encode()).hexdigest()[:16]


def record_point(record: Record) -> edge.Point:
    """A point without vectors: no search finds it."""
    return edge.Point(_id(record.document), {}, {
        "kind": RECORD,
        "doc": record.document,
        "source": record.source,
        "hash": record.hash,
        "version": record.version,
        "labels": sorted(record.acl),
        "url": record.url,
        "date": record.date.isoformat() if record.date else None,
    })


def record_id(document: str) -> str:
    return _id(document)


def record_of(payload: Mapping[str, Any]) -> Record:
    return Record(
        payload["doc"], payload["source"], payload["hash"], payload["version"], frozenset(payload["labels"]),
        payload["url"], datetime.fromisoformat(payload["date"]) if payload["date"] else None,
    )


def piece_points(record: Record, pieces: Sequence[Piece]) -> list[edge.Point]:
    """The pieces of one page, in the page's generation."""
    born, acl = generation(record), list_id(record.acl)
    return [
        edge.Point(
            _id(record.document, born, str(number)),
            {DENSE: array("f", piece.dense).tolist(), SPARSE: edge.SparseVector(piece.indices, piece.values)},
            {
                "kind": CHUNK, "doc": record.document, "acl": acl, "generation": born, "hash": piece.hash,
                "text": piece.text, "heading": piece.heading, "anchor": piece.anchor,
                "start": piece.start, "end": piece.end,
            },
        )
        for number, piece in enumerate(pieces)
    ]


def passage_of(point_id: str, payload: Mapping[str, Any], record: Record, score: float) -> Passage:
    """What a reader gets to see; rights, address and date are the record's, which is the truth about them."""
    anchor = payload["anchor"]
    return Passage(
        PassageId(point_id), payload["text"], payload["heading"], f"{record.url}#{anchor}" if anchor else record.url,
        score, record.acl, record.date,
    )


def _id(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "\0".join(parts)))
