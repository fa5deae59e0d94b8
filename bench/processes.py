"""What the program takes, whichever of its processes takes it: ours, and those that have its index open."""

from __future__ import annotations

import psutil

KEEPER = "adapters.qdrant.keeper"


def ours(us: psutil.Process | None = None) -> list[psutil.Process]:
    """``us``, or this process, and those that have a shard open for it."""
    us = us or psutil.Process()
    return [us, *(child for child in us.children() if KEEPER in child.cmdline())]


def processor() -> float:
    """Seconds of ours until now."""
    return sum(sum(process.cpu_times()[:2]) for process in ours())


def memory(us: psutil.Process | None = None) -> int:
    """Bytes that are resident; what they have in common counts twice."""
    return sum(process.memory_info().rss for process in ours(us))
