"""Words and word sequences as places in a table of fixed size: the same on every machine, with no seed.

A token's number is its CRC-32; a sequence's number is mixed from its tokens' numbers, for all sequences of a text
at once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Places: TypeAlias = "NDArray[np.uint32]"

BITS: Final = 17
"""The table of one model has ``2 ** BITS`` places."""

_FACTOR: Final = np.uint32(0x01000193)
_SPREAD_1: Final = np.uint32(0x85EBCA6B)
_SPREAD_2: Final = np.uint32(0xC2B2AE35)
_SHIFT: Final = np.uint32(15)
_SHIFT_1: Final = np.uint32(13)
_SHIFT_2: Final = np.uint32(16)
_MASK: Final = np.uint32((1 << BITS) - 1)
NOTHING: Final[Places] = np.zeros(0, dtype=np.uint32)


def number(token: str, salt: int = 0) -> int:
    """32 bits; lone surrogates are tokens like any other."""
    return zlib.crc32(token.encode("utf-8", "surrogatepass"), salt)


def numbers(tokens: Iterable[str], salt: int = 0) -> Places:
    """One for each token, in order."""
    return np.fromiter((number(token, salt) for token in tokens), dtype=np.uint32)


def sequences(tokens: Places, length: int, salt: int) -> Places:
    """One number for every run of ``length`` tokens, in order; `NOTHING` for a shorter text."""
    count = len(tokens) - length + 1
    return runs(tokens, (length,), (salt,))[0][:count] if count > 0 else NOTHING


def runs(tokens: Places, lengths: Sequence[int], salts: Sequence[int]) -> Places:
    """Several kinds of `sequences` at once, a row for each length and its salt; the lengths go up.

    Of a row the first ``len(tokens) - length + 1`` numbers count: behind them no run is whole.
    """
    mixed = (np.array(salts, dtype=np.uint32)[:, None] ^ tokens) * _FACTOR
    mixed ^= mixed >> _SHIFT
    size, first = len(tokens), 0
    for offset in range(1, min(lengths[-1], size)):
        while lengths[first] <= offset:
            first += 1
        longer = mixed[first:, : size - offset]
        longer ^= tokens[offset:]
        longer *= _FACTOR
        longer ^= longer >> _SHIFT
    return mixed


def places(mixed: Places) -> Places:
    """Where these numbers stand in the table."""
    spread = mixed * _SPREAD_1
    spread ^= spread >> _SHIFT_1
    spread *= _SPREAD_2
    spread ^= spread >> _SHIFT_2
    return spread & _MASK
