"""The one place where the Web API is called: within its budget, held, never posted twice, errors in our words.

A call that puts something new there is made once. It is repeated only when it certainly did not arrive, which
Slack says (429) or the network does (no connection). Whatever else goes wrong with it is `Unclear`, and is
settled by looking (`adapters/slack/outbox.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from adapters.slack.budget import Budget, Key, Rank
from adapters.slack.config import SlackConfig
from engine.errors import BotError, PlatformUnavailable
from engine.ports import Hold

log = structlog.get_logger()

PAUSE: Final = (0.2, 5.0)       # seconds before another attempt: the first time, and at most
UNTOLD: Final = 5.0             # seconds to wait when a rate limit does not say how long
CONNECT: Final = 3.0            # seconds for a connection

READS: Final = frozenset({
    "auth.teams.list", "bots.info", "chat.getPermalink", "conversations.history", "conversations.info",
    "conversations.list", "conversations.members", "conversations.replies", "files.info", "team.info",
    "usergroups.list", "usergroups.users.list", "users.conversations", "users.info", "users.list",
})
"""Asked with GET, as Slack documents them; they change nothing."""
REPEATABLE: Final = READS | {
    "assistant.threads.setStatus", "assistant.threads.setSuggestedPrompts", "assistant.threads.setTitle", "auth.test",
    "chat.delete", "chat.update", "conversations.join", "conversations.open", "reactions.add", "views.publish",
    "views.update",
}
"""To do it twice is the same as to do it once."""


TRIMMINGS: Final = (
    "assistant.", "views.", "usergroups.", "users.list", "users.conversations", "conversations.info",
    "chat.getPermalink", "chat.startStream",
)
"""Methods without which questions are answered all the same."""


class SlackError(PlatformUnavailable):
    """Slack said no. ``code`` is its own word for why."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code

    @property
    def refused(self) -> bool:
        """Slack's own word against it: to ask again would bring the same."""
        return bool(self.code)


class NotSent(SlackError):
    """Slack was not reached: nothing of the call has arrived."""


class Unclear(SlackError):
    """Slack may have done it, or not: its answer was lost, or was that it broke."""

    @property
    def refused(self) -> bool:
        """Another time may do."""
        return False


class Limited(SlackError):
    """Its rate limit lasts longer than we may wait: certainly not done."""

    def __init__(self, sentence: str, code: str, seconds: float) -> None:
        super().__init__(sentence, code)
        self.seconds = seconds

    @property
    def refused(self) -> bool:
        """Another time will do."""
        return False


class Gone(SlackError):
    """There is no such message any more."""


class Fixed(SlackError):
    """The message stands as it is: it takes no edit from us any more."""


class StreamEnded(SlackError):
    """The message does not stream (any more): five minutes were over, or it was stopped."""


class StoppedByUser(SlackError):
    """The person stopped the stream."""


class TooLong(SlackError):
    """More than a message takes."""


class Revoked(SlackError):
    """Our token, or a scope of it: only the operator can help."""


class Closed(BotError):
    """The place takes nothing from us: we were removed, it was archived, its thread is gone. No attempt will help."""

    reply = "I could not answer where you asked: I cannot write there."

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code
        if code in _REASONS:
            self.reply = f"I could not answer where you asked: {_REASONS[code]}."


_REASONS: Final = {
    "not_in_channel": "I am not a member of that channel; someone there can /invite me",
    "channel_not_found": "I am not a member of that channel; someone there can /invite me",
    "is_archived": "that channel is archived",
    "is_inactive": "that channel is archived",
    "cannot_reply_to_message": "that message takes no replies",
    "thread_not_found": "the message that the thread began with is gone",
    "restricted_action": "a rule of this workspace keeps me from writing there",
    "restricted_action_thread_locked": "that thread is locked",
    "restricted_action_read_only_channel": "that channel is read-only",
}
_CLOSED: Final = frozenset({
    *_REASONS, "app_access_restricted", "channel_type_not_supported", "messages_tab_disabled",
    "restricted_action_non_threadable_channel", "restricted_action_thread_only_channel", "user_not_in_channel",
    "user_not_found", "team_not_found", "cannot_dm_bot", "user_disabled", "posting_to_channel_denied",
})
_REVOKED: Final = frozenset({
    "access_denied", "account_inactive", "ekm_access_denied", "invalid_auth", "missing_scope", "no_permission",
    "not_allowed_token_type", "not_authed", "org_login_required", "team_access_not_granted", "token_expired",
    "token_revoked", "two_factor_setup_required",
})
_LIMITED: Final = frozenset({"ratelimited", "rate_limited"})
_BROKEN: Final = frozenset({
    "fatal_error", "internal_error", "messaging_processing_failed", "request_timeout", "service_unavailable",
    "update_failed",
})
_KINDS: Final[Mapping[str, type[SlackError]]] = {
    "message_not_found": Gone,
    "cant_update_message": Fixed,
    "edit_window_closed": Fixed,
    "message_not_in_streaming_state": StreamEnded,
    "stopped_by_user": StoppedByUser,
    **dict.fromkeys(("msg_too_long", "msg_blocks_too_long", "msg_blocks_too_many"), TooLong),
    **dict.fromkeys(_REVOKED, Revoked),
    **dict.fromkeys(_BROKEN, Unclear),
}


@dataclass(frozen=True, slots=True)
class _Request:
    """One call as it leaves."""

    method: str
    given: Mapping[str, Any]
    token: str = field(repr=False)
    keys: tuple[Key, ...]           # what it counts against; the narrowest last
    rank: Rank
    paid: bool                      # its place in the budget was taken before


class Way(Protocol):
    """Hears where a call is: whoever keeps a record of it knows after a crash whether it may have arrived."""

    async def leaves(self) -> None:
        """Just before it leaves, after every wait for the budget. What it raises keeps the call here."""
        ...

    async def back(self) -> None:
        """It certainly was not done; perhaps it leaves again."""
        ...


class Tokens(Protocol):
    """The bot token of a workspace, by `Place.workspace`. Raises `PlatformUnavailable` where we are not installed."""

    async def token(self, workspace: str) -> str: ...


@dataclass(slots=True)
class Calls:
    """All raise `SlackError`, or `Closed`. Create it with `open_calls`."""

    client: AsyncWebClient
    tokens: Tokens
    budget: Budget
    patience: float                 # seconds
    _problems: dict[tuple[str, str], str] = field(default_factory=dict)     # by workspace and method
    _away: bool = False             # the last that we heard of Slack was that it does not answer

    async def call(
        self, method: str, workspace: str, arguments: Mapping[str, Any], *,
        hold: Hold | None = None, way: Way | None = None, rank: Rank = Rank.LAST_WORD, once: bool = False,
        paid: bool = False,
    ) -> dict[str, Any]:
        """What Slack answers. ``hold`` is asked, and ``way`` told, just before the call leaves; arguments that are None
        are left out.

        A rate limit is waited out, and a call that did not arrive is repeated, while patience lasts; one of unclear
        fate only if it can be (`REPEATABLE`) and is not to be made ``once``. ``paid``: after `slot` or `may`; a rate
        limit is raised then, since whoever took the place has something else to do meanwhile.
        """
        token = await self.tokens.token(workspace)
        given = {key: value for key, value in arguments.items() if value is not None}
        request = _Request(method, given, token, _keys(method, workspace, given), rank, paid)
        again = NotSent if once or method not in REPEATABLE else (NotSent, Unclear)
        try:
            said: dict[str, Any] = await self._until(again, lambda: self._call(request, hold, way))
        except Revoked as error:
            if (workspace, method) not in self._problems:
                log.error("Slack refuses our token", workspace=workspace, cause=str(error))  # noqa: TRY400
            self._problems[workspace, method] = str(error)
            raise
        if self._problems.pop((workspace, method), None):
            log.info("Slack takes our token again", workspace=workspace, method=method)
        return said

    async def respond(self, url: str, payload: Mapping[str, Any], hold: Hold, way: Way | None = None) -> None:
        """Answers a command or a button at its ``response_url``. `Gone`: its half-hour, or its five posts, are over."""
        if not self._is_slacks(url):
            raise Gone("slack: the response address is not one of Slack's", "foreign_url")
        hook = AsyncWebhookClient(url, session=self.client.session, retry_handlers=[], proxy=self.client.proxy)
        await self._until(NotSent, lambda: self._respond(hook, payload, hold, way))

    @property
    def problem(self) -> str | None:
        """For the health page: what keeps us from speaking in some workspace. Trimmings do not count."""
        told = (f"workspace {workspace}: {why}" for (workspace, method), why in self._problems.items()
                if not method.startswith(TRIMMINGS))
        return next(told, None)

    async def slot(self, method: str, workspace: str, rank: Rank) -> None:
        """Waits for a place in the budget, for a call whose content is made once it may leave."""
        await self.budget.take(Key(method, workspace), rank)

    def may(self, method: str, workspace: str) -> bool:
        """Takes a place at once if there is one."""
        return self.budget.try_take(Key(method, workspace))

    async def _until(
        self, again: type[SlackError] | tuple[type[SlackError], ...], call: Callable[[], Awaitable[Any]],
    ) -> Any:
        clock = asyncio.get_running_loop().time
        end, pause = clock() + self.patience, PAUSE[0]
        while True:
            try:
                said = await call()
            except SlackError as error:
                if not isinstance(error, again) or clock() + pause > end:
                    raise
                if not self._away:      # an operator who has mistyped its address should not have to wait for this
                    log.warning("Slack does not answer, trying on", cause=str(error))
                self._away = True
            else:
                self._away = False
                return said
            await asyncio.sleep(pause)
            pause = min(PAUSE[1], 2 * pause)

    async def _call(self, request: _Request, hold: Hold | None, way: Way | None) -> dict[str, Any]:
        """One call; a rate limit is waited out, again and again while patience lasts."""
        clock = asyncio.get_running_loop().time
        end, paid = clock() + self.patience, request.paid
        while True:
            for key in request.keys if not paid else ():
                await self.budget.take(key, request.rank)
            paid = False
            if hold is not None:
                hold()
            if way is not None:
                await way.leaves()
            try:
                return await self._request(request)
            except NotSent:
                if way is not None:
                    await way.back()
                raise
            except Limited as error:
                if way is not None:
                    await way.back()
                wait, counted = error.seconds, request.keys[-1]
                log.warning("Slack's rate limit", method=counted.method, workspace=counted.workspace, seconds=wait)
                self.budget.close(counted, wait)
                if request.paid or clock() + wait > end:
                    raise

    async def _request(self, request: _Request) -> dict[str, Any]:
        # The library takes the token out of what it is handed: each call gets a dictionary of its own.
        method, given = request.method, {**request.given, "token": request.token}
        if method in READS:
            return await answered(method, self.client.api_call(method, http_verb="GET", params=given))
        return await answered(method, self.client.api_call(method, json=given))

    async def _respond(
        self, hook: AsyncWebhookClient, payload: Mapping[str, Any], hold: Hold, way: Way | None,
    ) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + self.patience
        while True:
            hold()
            if way is not None:
                await way.leaves()
            try:
                answer = await hook.send_dict(dict(payload))
            except _NETWORK as error:
                lost = _lost("response_url", error)
                if way is not None and isinstance(lost, NotSent):
                    await way.back()
                raise lost from error
            if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                if way is not None:
                    await way.back()
                wait = _seconds(answer.headers)
                if clock() + wait > end:
                    raise Limited("slack: response_url: its rate limit", "ratelimited", wait)
                await asyncio.sleep(wait)
                continue
            if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise Unclear(f"slack: response_url: {answer.status_code}")
            if answer.status_code != HTTPStatus.OK:
                raise Gone(f"slack: response_url: {answer.status_code}", "expired_url")
            return

    def _is_slacks(self, url: str) -> bool:
        """The peer names this address; nothing of an answer goes anywhere but to Slack."""
        given, ours = urlsplit(url), urlsplit(self.client.base_url)
        if given.hostname == ours.hostname:
            return True
        return given.scheme == "https" and (given.hostname or "").endswith((".slack.com", ".slack-gov.com"))


async def answered(method: str, call: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """What Slack answers to a call of the library's. Raises `SlackError`, or `Closed`."""
    try:
        answer = await call
    except SlackApiError as error:
        raise _translated(method, error.response) from error
    except _NETWORK as error:
        raise _lost(method, error) from error
    except (SlackClientError, ValueError, AttributeError) as error:
        # It did what we asked, perhaps, but what it says about it cannot be read.
        raise Unclear(f"slack: {method}: its answer cannot be read") from error
    if not isinstance(answer.data, dict):
        raise Unclear(f"slack: {method}: its answer cannot be read")
    return answer.data


@asynccontextmanager
async def open_calls(config: SlackConfig, tokens: Tokens, budget: Budget | None = None) -> AsyncGenerator[Calls]:
    """The Web API, whose connections are closed with the context."""
    timeout = config.timeout.total_seconds()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),        # how much is under way is the budget's affair
        timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, CONNECT)),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        # An empty token keeps the library from the environment's; each call names its own.
        client = AsyncWebClient(
            token="", base_url=config.base_url, session=session, timeout=int(timeout) or 1, retry_handlers=[],
        )
        yield Calls(client, tokens, budget or Budget(config.rate_share), config.patience.total_seconds())


_NETWORK: Final = (aiohttp.ClientError, OSError, TimeoutError)


def _keys(method: str, workspace: str, given: Mapping[str, Any]) -> tuple[Key, ...]:
    """What a call counts against: a post also against its channel."""
    if method == "chat.postMessage":
        return Key(method, workspace), Key(method, workspace, str(given["channel"]))
    return (Key(method, workspace),)


def _lost(method: str, error: BaseException) -> SlackError:
    if isinstance(error, aiohttp.ClientConnectorError):
        return NotSent(f"slack: {method}: not reached: {error.strerror or type(error).__name__}")
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return NotSent(f"slack: {method}: not reached in time")
    return Unclear(f"slack: {method}: {type(error).__name__}")


def _translated(method: str, answer: Any) -> SlackError | Closed:
    """Slack's word for what went wrong, as ours. ``answer`` is the library's response, or aiohttp's."""
    status = getattr(answer, "status_code", None) or getattr(answer, "status", 0)
    data = getattr(answer, "data", None)
    said = data if isinstance(data, dict) else {}
    code = said.get("error")
    code = code if isinstance(code, str) else ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in _LIMITED:
        return Limited(f"slack: {method}: its rate limit", "ratelimited", _seconds(getattr(answer, "headers", {})))
    if not code:
        return Unclear(f"slack: {method}: {status}")
    sentence = f"slack: {method}: {code[:80]}"
    if code == "missing_scope":
        sentence += f": the app needs {str(said.get('needed', 'it'))[:200]}"
    if code in _CLOSED:
        return Closed(sentence, code)
    return _KINDS.get(code, SlackError)(sentence, code)


def _seconds(headers: Mapping[str, str]) -> float:
    said = str(headers.get("Retry-After", "")).strip()
    return float(said) if said.isdecimal() else UNTOLD
