"""What the platform must be told; `bot/settings.py` fills it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

SLACK: Final = "https://slack.com/api/"
EVENTS: Final = "/slack/events"
"""Where events, commands and buttons arrive over HTTP."""
INSTALLED: Final = "/slack/oauth_redirect"
"""Where somebody comes back to who installed the app."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """For several workspaces: what an app's own page at Slack calls its credentials."""

    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]                                 # what the bot asks to be allowed to do
    redirect_url: str = ""                                  # empty: the one that the app's page names


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """How this bot is known to Slack. Without ``app_token`` events come over HTTP, signed with ``signing_secret``."""

    bot_token: str = field(default="", repr=False)          # of the one workspace
    app_token: str = field(default="", repr=False)          # Socket Mode
    signing_secret: str = field(default="", repr=False)
    oauth: OAuth | None = None                              # of further workspaces
    base_url: str = SLACK                                   # of the Web API, with a slash at its end
    sockets: int = 2                                        # one reconnects while another hears
    apart: timedelta = timedelta(seconds=5)                 # between the first connections of Socket Mode
    event_bytes: int = 1 << 20                              # of one event; more is turned away
    rate_share: float = 1.0                                 # of Slack's documented rates, what we use
    timeout: timedelta = timedelta(seconds=10)              # of one request
    patience: timedelta = timedelta(seconds=20)             # with Slack being away, before a turn is set aside
    fresh: timedelta = timedelta(seconds=60)                # for so long members and user groups are remembered
    engaged: timedelta = timedelta(hours=12)                # for so long we stay in a thread where nobody asks us
    lookback: timedelta = timedelta(days=2)                 # how much of a gap is filled
    recent: timedelta = timedelta(hours=1)                  # what was missed and is older gets no answer any more
    group_handles: bool = False                             # "group:<handle>" in an access list means a user group
    file_bytes: int = 25 << 20                              # of one file that somebody uploads

    @property
    def socket_mode(self) -> bool:
        """Slack is called, and does not call us."""
        return bool(self.app_token)
