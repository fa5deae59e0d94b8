"""Text let through as the guards pass it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from engine.guards.egress import Cleared, Screen
from engine.ports import Piece


async def release(pieces: AsyncGenerator[Piece, None], screen: Screen) -> AsyncGenerator[Cleared, None]:
    """Lets text through only as far as every detector has cleared it, however it was cut into pieces.

    Yields no empty text. What the model said about its end is in ``screen.finished`` afterwards. Leaving early
    closes the model's stream and notes what had been scanned and shown by then. Raises what `Screen.feed` and
    the stream raise.
    """
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                if ready := await screen.feed(piece):
                    yield ready
        if rest := await screen.close():
            yield rest
    finally:
        screen.stop()
