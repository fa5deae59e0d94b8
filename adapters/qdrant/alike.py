"""What words mean to the embedding model that ships with the program: a table beside its tokenizer.

`bench/word_table.py` makes it. Another model in use changes nothing here: the table is about words, not passages.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from engine.rag.alike import Meanings

TABLE: Final = Path(__file__).parent / "minilm" / "words.npz"


@cache
def meanings() -> Meanings:
    """Reads 1.5 MB, once for the process; blocking."""
    with np.load(TABLE, allow_pickle=False) as table:
        words = bytes(table["words"]).decode("ascii").split()
        return Meanings({word: place for place, word in enumerate(words)}, table["vectors"])
