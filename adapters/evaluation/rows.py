"""Guard data as it lies on disk: JSON lines, plain or gzip-compressed."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

LICENCE_BOUND: Final = ("censoredplanet/",)
"""Sources under a copyleft licence: they are measured on, and never learned from."""
CANNED: Final = ("canned", "canned_unseen")
_FAMILIES: Final = (
    "deepseek", "qwen", "llama", "mistral", "claude", "gpt", "o1", "grok", "gemma", "yi-", "kimi", "glm", "ernie",
    "minimax", "doubao", "baidu", "optimus", "horizon", "quasar",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text: a question or document (inbound), or an answer to one (outbound)."""

    id: str
    text: str
    label: str                  # allow | block, or ok | deflection | refusal | leak
    category: str               # inbound: category; outbound: tier
    source: str                 # without the file
    prompt: str = ""
    kind: str = ""
    lang: str = ""
    model: str = ""
    system: str = ""
    start: int = 0              # where the line begins that was pasted behind an answer
    outbound: bool = False
    folder: str = ""            # "" or "train"

    @property
    def free(self) -> bool:
        """May be learned from."""
        return not self.source.startswith(LICENCE_BOUND)

    @property
    def group(self) -> str:
        """The part of an inbound category before its first underscore."""
        return self.category.split("_", maxsplit=1)[0]

    @property
    def family(self) -> str:
        """Of the model that answered."""
        name = self.model.lower()
        return next((family for family in _FAMILIES if family in name), name or "-")


def load(folder: Path) -> list[Row]:
    """All rows of a folder and of ``train`` in it, in the order of their files' names.

    Raises `FileNotFoundError` when there are none, `ValueError` for a line that is no row.
    """
    rows = [
        row
        for place in (folder, folder / "train")
        for path in sorted((*place.glob("*.jsonl"), *place.glob("*.jsonl.gz")))
        for row in _file(path, "" if place == folder else place.name)
    ]
    if not rows:
        raise FileNotFoundError(f"no rows in {folder}")
    return rows


def _file(path: Path, folder: str) -> Iterator[Row]:
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()
    for number, line in enumerate(lines, 1):
        try:
            yield _row(json.loads(line), folder)
        except KeyError as error:
            raise ValueError(f"{path.name}, line {number}: a row without {error.args[0]}") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{path.name}, line {number}: not a row") from error


def _row(found: dict[str, Any], folder: str) -> Row:
    source = found.get("source", "").split(":")[0].split(" (")[0].split(";")[0].split(" + ")[0]
    if "response" not in found:
        return Row(found["id"], found["text"], found["label"], found["category"], source, folder=folder)
    return Row(
        found["id"], found["response"], found["label"], found["tier"], source, found.get("prompt") or "",
        found.get("kind") or "", found.get("lang") or "", found.get("model") or "", found.get("system") or "",
        found.get("start") or 0, outbound=True, folder=folder,
    )


def checksum(text: str) -> int:
    """A fixed number, to divide and to order by."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def cut(row: Row, text: str, kind: str) -> Row:
    """A part of a row as a row of its own."""
    return replace(row, id=f"{row.id}-{kind}", text=text, kind=kind, start=0)
