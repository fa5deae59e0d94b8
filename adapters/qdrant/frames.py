"""Values between two processes of ours: four bytes of length, then msgpack."""

from __future__ import annotations

import asyncio
from typing import BinaryIO, Final, TypeVar

import msgspec

T = TypeVar("T")
HEAD: Final = 4

_encoder: Final = msgspec.msgpack.Encoder()


class BadFrame(Exception):
    """Not a frame, or one over the limit."""


def packed(value: object) -> bytes:
    """One frame."""
    body = _encoder.encode(value)
    return len(body).to_bytes(HEAD, "big") + body


def read_blocking(stream: BinaryIO, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
    """The next value, None when the other side is gone."""
    head = stream.read(HEAD)
    size = int.from_bytes(head, "big")
    body = stream.read(size) if len(head) == HEAD else b""
    return decoder.decode(body) if len(head) == HEAD and len(body) == size else None


async def read(stream: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[T], *, limit: int) -> T | None:
    """The next value, None when the other side is gone. Raises `BadFrame`; ``limit`` is in bytes."""
    try:
        size = int.from_bytes(await stream.readexactly(HEAD), "big")
        if size > limit:
            raise BadFrame(f"a frame of {size} bytes, limit {limit}")
        return decoder.decode(await stream.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except msgspec.MsgspecError as error:
        raise BadFrame(f"not a frame: {type(error).__name__}") from error
