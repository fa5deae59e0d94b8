"""How often a method may be called: in no span of a minute more often than its tier says."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fake_slack.documented import METHODS

MINUTE = 60.0
BURST = 4           # "short bursts of more than one a second are allowed", for posts into one channel


@dataclass(slots=True)
class Limits:
    """``scale`` makes every tier smaller or bigger; 0 turns all of them off."""

    clock: Callable[[], float]
    scale: float = 1.0
    _calls: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _posts: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def wait(self, method: str, workspace: str, channel: str = "") -> int:
        """Counts the call. 0: it may go on; else the seconds for ``Retry-After``."""
        if not self.scale:
            return 0
        if method == "chat.postMessage" and channel and (seconds := self._crowded(workspace, channel)):
            return seconds
        now, allowed = self.clock(), METHODS[method].tier * self.scale
        window = MINUTE * max(1.0, 1.0 / allowed)
        calls = self._calls.setdefault((method, workspace), deque())
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= max(1, int(allowed)):
            return max(1, math.ceil(calls[0] + window - now))
        calls.append(now)
        return 0

    def _crowded(self, workspace: str, channel: str) -> int:
        """A message a second in one channel, after a few."""
        now, rate = self.clock(), self.scale
        burst = max(1.0, BURST * self.scale)
        left, at = self._posts.get((workspace, channel), (burst, now))
        left = min(burst, left + (now - at) * rate)
        if left < 1.0:
            return max(1, math.ceil((1.0 - left) / rate))
        self._posts[(workspace, channel)] = left - 1.0, now
        return 0
