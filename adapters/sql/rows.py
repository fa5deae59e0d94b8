"""Rows to values and back: what lies sealed in a column, and what the engine reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from engine.messages import Answer, Citation, File, Mode, Passage, PassageId, PersonId, Place, Usage

UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def utc(seconds: float) -> datetime:
    """Seconds since 1970 to an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


def place_row(place: Place) -> dict[str, Any]:
    """A place as JSON; its person is the turn's author and stands there."""
    row = asdict(place)
    del row["person"]
    return row


def place_of(row: dict[str, Any], person: str) -> Place:
    """The place back."""
    return Place(person=PersonId(person), **row)


def files_text(files: Iterable[File]) -> str:
    """What came with a message, as it is sealed."""
    return msgspec.json.encode([asdict(file) for file in files]).decode()


def files_of(sealed: str) -> tuple[File, ...]:
    """The files back."""
    return tuple(File(**each) for each in msgspec.json.decode(sealed))


def files_row(message: str) -> str:
    """What the sealed files of a message are bound to."""
    return f"message/{message}/files"


def raw_row(message: str) -> str:
    """The same of what the platform sent."""
    return f"message/{message}/raw"


def answer_text(answer: Answer) -> str:
    """Text and citations of an answer, as they are sealed."""
    citations = [
        {
            "marker": c.marker, "id": c.passage.id, "text": c.passage.text, "title": c.passage.title,
            "url": c.passage.url, "score": c.passage.score, "acl": sorted(c.passage.acl),
            "date": c.passage.date.timestamp() if c.passage.date else None, "document": c.passage.document,
        }
        for c in answer.citations
    ]
    whole = {
        "text": answer.text, "citations": citations, "grounded": answer.grounded, "mode": answer.mode.value,
        "model": answer.model, "cut": answer.cut, "searched": answer.searched, "asked": answer.asked,
        "unread": answer.unread,
        "made_from": [sorted(labels) for labels in answer.made_from],
        "usage": [answer.usage.prompt, answer.usage.completion, answer.usage.cached],
        "read_from": answer.read_from, "whole": answer.whole,
    }
    return msgspec.json.encode(whole).decode()


def answer_of(sealed: str) -> Answer:
    """The answer back."""
    whole = msgspec.json.decode(sealed)
    citations = tuple(
        Citation(
            c["marker"],
            Passage(PassageId(c["id"]), c["text"], c["title"], c["url"], c["score"], frozenset(c["acl"]),
                    utc(c["date"]) if c["date"] is not None else None, c.get("document", "")),
        )
        for c in whole["citations"]
    )
    return Answer(
        whole["text"], citations, whole["grounded"], Mode(whole["mode"]), whole["model"], whole["cut"],
        whole["searched"], whole["asked"], tuple(whole.get("unread", ())),
        tuple(frozenset(labels) for labels in whole["made_from"]), Usage(*whole["usage"]),
        tuple((PassageId(id), document) for id, document in whole.get("read_from", ())),
        whole.get("whole", True),
    )


def answer_row(answer: Answer) -> dict[str, Any]:
    """What of an answer stands in columns of its own, readable."""
    return {
        "grounded": answer.grounded, "mode": answer.mode.value, "model": answer.model,
        "prompt_tokens": answer.usage.prompt, "completion_tokens": answer.usage.completion,
        "cached_tokens": answer.usage.cached, "acl": [sorted(labels) for labels in answer.acl],
    }


def readable(text: str) -> str:
    """Text that any database, log and model takes: NUL and lone surrogates become U+FFFD."""
    return UNSTORABLE.sub("\ufffd", text)
