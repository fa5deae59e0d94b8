"""``python -m adapters.parsing.child``: parses one document after the other, under limits that the kernel keeps.

It can neither write a file nor grow without bound; how long a document may take is for its parent to say, which
ends this process when the time is up.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import warnings
from typing import Final, TypeAlias

import msgspec

from adapters.parsing import formats
from adapters.parsing.formats import Parsed, Rejected
from adapters.parsing.media import Media
from adapters.qdrant import frames

MEMORY: Final = 1 << 30         # bytes of address space


class Job(msgspec.Struct, frozen=True):
    """One file."""

    media: Media
    raw: bytes


Told: TypeAlias = Parsed | Rejected
PARSERS: Final = {Media.PDF: formats.pdf, Media.ZIP: formats.docx, Media.HTML: formats.html}


def main() -> None:
    """Runs until stdin ends."""
    os.nice(10)
    logging.disable()           # libraries complain about files in the files' own words
    warnings.simplefilter("ignore")
    for limit, value in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))
    decoder = msgspec.msgpack.Decoder(Job)
    while (job := frames.read_blocking(sys.stdin.buffer, decoder)) is not None:
        told = parsed(job)
        sys.stdout.buffer.write(frames.packed(told))
        sys.stdout.buffer.flush()


def parsed(job: Job) -> Told:
    """What became of one file, whatever its parser ran into."""
    try:
        return PARSERS[job.media](job.raw)
    except MemoryError:
        return Rejected("needs more memory than it may have")
    except RecursionError:
        return Rejected("is nested too deeply")
    except Exception as error:      # parsers raise anything; the report names it
        return Rejected(f"is damaged: {type(error).__name__}")


if __name__ == "__main__":
    main()
