"""What words mean to the embedding model that ships with the program: a table beside its tokenizer.

`bench/word_table.py` makes it. Another model in use changes nothing here: the table is about words, not passages.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from engine.errors import RetrieverUnavailable
from engine.rag.alike import Meanings

TABLE: Final = Path(__file__).parent / "minilm" / "words.npz"
SHA256: Final = "fb400b42f9523e13028b8e04ef01f9d25ea20f3c90706fa57ddba1a2dd3b379d"


@cache
def meanings() -> Meanings:
    """Reads 1.5 MB, once for the process; blocking. Raises `RetrieverUnavailable`: it is not the file it should be."""
    return read(TABLE)


def read(path: Path, sha256: str = SHA256) -> Meanings:
    """The same of another file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RetrieverUnavailable(f"{path.name} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise RetrieverUnavailable(f"{path.name} is not the file it should be (sha256 {digest})")
    with np.load(io.BytesIO(content), allow_pickle=False) as table:
        words = bytes(table["words"]).decode("ascii").split()
        return Meanings({word: place for place, word in enumerate(words)}, table["vectors"])
