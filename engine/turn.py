"""One message, one straight line: from a claimed message to an answer that stands on the platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeVar

from engine.attached import Beside
from engine.errors import (
    Deflected,
    EmptyMessage,
    MessageTooLong,
    ModelBroken,
    ModelUnavailable,
    NothingSaid,
    PassageWithdrawn,
    Refused,
    RetrieverUnavailable,
)
from engine.guards.chain import Inbound
from engine.guards.egress import BLOCKED, Egress, Screen, Tripped
from engine.guards.verdict import Refuse
from engine.messages import Answer, Audience, Claim, Conversation, Found, Mode, Trail, Usage
from engine.ports import (
    Attachments,
    ChatModel,
    ConversationStore,
    Finished,
    Links,
    Membership,
    Piece,
    Reply,
    Retriever,
    Text,
    Tokens,
    Transcripts,
)
from engine.prompt import Budget, build_prompt
from engine.quote import quote
from engine.streaming import release
from engine.summary import INSTRUCTION, MOST, Thread, extract, room_for

A = TypeVar("A")
B = TypeVar("B")

WORKING: Final = "Looking that up …"
AGAIN: Final = "One moment, I am asking again …"
UNGROUNDED: Final = "No page that everyone here may read stands behind this answer."
UNSEARCHED: Final = "I could not search the pages for this answer."
CUT: Final = "The answer was cut off at its length limit."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one turn may take."""

    message_chars: int = 16_000
    passages: int = 6


class Quoting(Protocol):
    """Words for when no model is connected, or it is away."""

    def __call__(self, found: Found, question: str, *, connected: bool) -> str: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """The ports of one line. ``models``: who is asked, and who is asked next when that one gives a stock script."""

    store: ConversationStore
    membership: Membership
    retriever: Retriever
    models: tuple[ChatModel, ...]
    inbound: Inbound
    egress: Egress
    tokens: Tokens
    budget: Budget = field(default_factory=Budget)
    limits: Limits = field(default_factory=Limits)
    transcripts: Transcripts | None = None      # without it and links, nothing is summarised
    links: Links | None = None
    attachments: Attachments | None = None      # without it, files that people send are not read
    quoting: Quoting = quote                    # what is said when no model speaks
    remembers: bool = True                      # earlier turns of the conversation count

    async def answer(self, claim: Claim, reply: Reply, trail: Trail, *, last: bool = False) -> None:
        """Takes one claimed message from heard to answered. ``last``: no attempt will follow this one.

        A refusal leaves by raising, like everything else that is not an answer.
        """
        if self.attachments is not None:
            beside = Beside(self.retriever, self.attachments, claim.message)
            await replace(self, retriever=beside, attachments=None).answer(claim, reply, trail, last=last)
            return
        answer = claim.answer
        if answer is None or not await self.may_still_be_shown(answer, claim, reply):
            answer = await self.compose(claim, reply, trail, last=last)
            await self.store.answered(claim, answer, trail, posted=reply.posted)    # nothing is computed twice now
        try:
            shown = await self.egress.show(answer, trail, note=note(answer))
        except Tripped as trip:         # the rules have changed since it was checkpointed
            raise Refused(str(trip), BLOCKED) from trip
        await reply.finish(shown)

    async def summarise(self, claim: Claim, reply: Reply, trail: Trail, *, last: bool = False) -> None:
        """The same line, over what was said in the message's place instead of over pages."""
        if self.transcripts is None or self.links is None:
            raise NothingSaid("nothing is kept here of what people say to each other")
        room = room_for(self.budget.context, self.budget.answer)
        thread = Thread(self.transcripts, self.links, claim.message.place, self.tokens, room)
        line = replace(self, retriever=thread, quoting=extract, remembers=False, attachments=None,
                       limits=replace(self.limits, passages=MOST))
        asked = replace(claim, message=replace(claim.message, text=INSTRUCTION))
        await line.answer(asked, reply, trail, last=last)

    async def may_still_be_shown(self, answer: Answer, claim: Claim, reply: Reply) -> bool:
        """Whether a checkpointed answer's passages are still for everyone here: rights may have gone meanwhile."""
        audience = await self.membership.audience(claim.message.place, reply.visibility)
        if not all(audience.may_read(acl) for acl in answer.acl):
            return False
        try:
            await self.stands(Found(tuple(citation.passage for citation in answer.citations)), audience)
        except (PassageWithdrawn, RetrieverUnavailable):
            return False
        return True

    async def compose(self, claim: Claim, reply: Reply, trail: Trail, *, last: bool) -> Answer:
        """From the question to the finished words, which stand on the platform by then, but for their sources."""
        message = claim.message
        self.check(message.text)
        await reply.status(await self.egress.notice(WORKING))
        audience = await self.membership.audience(message.place, reply.visibility)
        question = (await self.inbound.first(message.text, trail)).text
        past = Conversation(message.conversation)
        if self.remembers:
            past = await self.store.load(message.conversation, before=claim, audience=audience)
        found, passed = await together(self.find(question, past, audience), self.inbound.beside(question, trail))
        found = await self.still(found, audience)
        answer = await self.speak(claim, passed.text, past, found, reply=reply, trail=trail, last=last)
        await self.stands(found, await self.membership.audience(message.place, reply.visibility))
        return answer

    def check(self, text: str) -> None:
        """Raises `EmptyMessage` or `MessageTooLong`."""
        if not text.strip():
            raise EmptyMessage("nothing but white space")
        if len(text) > self.limits.message_chars:
            raise MessageTooLong(len(text), self.limits.message_chars)

    async def find(self, question: str, past: Conversation, audience: Audience) -> Found:
        """Passages; without an index the answer goes on and says that no page stands behind it."""
        try:
            found = await self.retriever.find(question, past=past, audience=audience, limit=self.limits.passages)
        except RetrieverUnavailable:
            if not self.models:         # then there is nothing else to say
                raise
            return Found(searched=False)
        # The index is asked with the mask; what it brings is looked at once more.
        return replace(found, passages=tuple(p for p in found.passages if audience.may_read(p.acl)))

    async def still(self, found: Found, audience: Audience) -> Found:
        """What of it the store still has for this audience at the moment when a prompt is made of it."""
        if not found.passages:
            return found
        try:
            passages = await self.retriever.still_readable(found.passages, audience)
        except RetrieverUnavailable:
            if not self.models:
                raise
            return Found(searched=False)
        return replace(found, passages=passages, answers=found.answers and bool(passages))

    async def stands(self, found: Found, audience: Audience) -> None:
        """Raises `PassageWithdrawn` unless all of it may still be read by everyone who is here now."""
        if not found.passages:
            return
        still = await self.retriever.still_readable(found.passages, audience)
        if len(still) < len(found.passages) or not all(audience.may_read(p.acl) for p in found.passages):
            raise PassageWithdrawn(f"{len(found.passages) - len(still)} passages may not be read any more")

    async def speak(
        self, claim: Claim, question: str, past: Conversation, found: Found, *, reply: Reply, trail: Trail, last: bool,
    ) -> Answer:
        """The first model that gives an answer; when none is there, the pages themselves."""
        deflected = False
        given = found if found.answers else Found(searched=found.searched)
        inherited = tuple(acl for turn in past.turns if turn.answer for acl in turn.answer.acl)
        for model in self.models:
            prompt = build_prompt(
                past, given, question, trace=claim.trace, tokens=self.tokens, budget=self.budget,
                priority=20 if claim.lane == 0 else 0, salt=self.egress.fingerprint(tenant(claim))[:16],
            )
            screen = self.egress.open(question, Found(prompt.passages, given.answers), trail)
            try:
                answer = await self.say(model.stream(prompt), screen, reply, Mode.MODEL, model.name)
                read = dict.fromkeys((*(p.acl for p in prompt.passages), *inherited))
                return replace(answer, asked=question, searched=given.searched, made_from=tuple(read))
            except Tripped as trip:
                if isinstance(trip.verdict, Refuse):
                    raise Refused(str(trip), trip.verdict.reply) from trip
                deflected = True
                await reply.status(await self.egress.notice(AGAIN))
            except ModelUnavailable:
                continue
            except ModelBroken:
                if not last:
                    raise
                await reply.status(await self.egress.notice(AGAIN))
        if deflected:
            raise Deflected("every model that may be asked gave a stock script")
        if not found.searched and not last:     # nothing to say at all: that may pass
            raise RetrieverUnavailable("neither a model nor the index answers")
        screen = self.egress.open(question, found, trail)
        words = recite(self.quoting(found, question, connected=bool(self.models)))
        answer = await self.say(words, screen, reply, Mode.QUOTE, None)
        return replace(answer, asked=question, searched=found.searched)

    async def say(
        self, pieces: AsyncGenerator[Piece, None], screen: Screen, reply: Reply, mode: Mode, model: str | None,
    ) -> Answer:
        """Shows what is cleared, as it is cleared, and returns the whole."""
        async with aclosing(release(pieces, screen)) as cleared:
            async for ready in cleared:
                await reply.append(ready)
        text, finished = screen.text.strip(), screen.finished
        if not text:
            raise ModelBroken("the answer was empty")
        return Answer(
            text, screen.citations, bool(screen.citations), mode, model,
            cut=finished is not None and finished.reason == "length",
            usage=finished.usage if finished else Usage(),
        )


def note(answer: Answer) -> str:
    """The sentence that stands under an answer."""
    notes = [CUT] if answer.cut else []
    if not answer.grounded and answer.mode is Mode.MODEL:
        notes.append(UNGROUNDED if answer.searched else UNSEARCHED)
    return " ".join(notes)


def tenant(claim: Claim) -> str:
    """Whose cached prefixes a request may share."""
    return f"{claim.message.place.platform}:{claim.message.place.workspace}"


async def recite(text: str) -> AsyncGenerator[Piece, None]:
    """Words of ours, on the same way as a model's."""
    yield Text(text)
    yield Finished("stop")


async def together(first: Coroutine[None, None, A], second: Coroutine[None, None, B]) -> tuple[A, B]:
    """Both results, side by side; whichever fails ends the other, and fails as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            one, two = group.create_task(first), group.create_task(second)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return one.result(), two.result()
