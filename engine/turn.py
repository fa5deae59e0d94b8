"""One message, one straight line: from a claimed message to an answer that stands on the platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeVar, runtime_checkable

from engine.courtesy import asks_nothing
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
from engine.messages import (
    Answer,
    Audience,
    Claim,
    Conversation,
    ConversationId,
    Found,
    Labels,
    Member,
    Message,
    MessageId,
    Mode,
    Passage,
    PassageId,
    Place,
    Taken,
    Trail,
    Usage,
    within,
)
from engine.ports import (
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
    Uploads,
)
from engine.prompt import SYSTEM, Budget, build_prompt
from engine.quote import quote
from engine.streaming import release
from engine.summary import INSTRUCTION, MOST, Thread, extract, room_for, standing

A = TypeVar("A")
B = TypeVar("B")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)

WORKING: Final = "Looking that up …"
AGAIN: Final = "One moment, I am asking again …"
UNGROUNDED: Final = "No page that everyone here may read stands behind this answer."
UNFINISHED: Final = "No page that everyone here may read stands behind this answer; I have not read all of them yet."
UNSEARCHED: Final = "I could not search the pages for this answer."
CUT: Final = "The answer was cut off at its length limit."
WITHDRAWN: Final = "(This answer is withdrawn: a page that it came from was deleted, or closed to somebody here.)"
UNREAD: Final = "I could not read {files}."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one turn may take."""

    message_chars: int = 16_000
    passages: int = 6


@runtime_checkable
class PassageScreen(Protocol):
    """What a model may read of the passages: they are somebody else's words, and may speak to it."""

    async def screen(self, found: Found, trail: Trail) -> Found: ...


class Grounding(Protocol):
    """Whether passages stand behind what a model said."""

    @property
    def holds(self) -> bool:
        """Nothing is shown before the answer was checked."""
        ...

    async def check(self, answer: Answer, passages: Sequence[Passage], trail: Trail) -> Answer:
        """The answer, perhaps with its unsupported claims marked. Raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True)
class Chains:
    """What stands around one turn. ``routing``: names of the models to ask, in order; empty: as configured."""

    inbound: Inbound
    egress: Egress
    passages: PassageScreen | None = None
    routing: tuple[str, ...] = ()
    grounding: Grounding | None = None
    sentence: Callable[[str], str] | None = None    # the company's own, in the language of a text; "": it has none
    system: str = SYSTEM            # the instructions of every model


class GuardBook(Protocol):
    """Knows the rules of every place."""

    def for_turn(self, claim: Claim) -> Chains: ...


class NoUploads:
    """Files are not read here, and the answer says so."""

    async def take(self, message: Message) -> Taken:
        """As the engine's `Uploads`."""
        return Taken(unread=tuple("a file, since I do not read files here" for _ in message.files[:1]))

    async def forget(self, message: MessageId) -> None:
        """Nothing was kept."""


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
    inbound: Inbound = field(repr=False)
    egress: Egress = field(repr=False)
    tokens: Tokens
    budget: Budget = field(default_factory=Budget)
    limits: Limits = field(default_factory=Limits)
    passages: PassageScreen | None = None
    grounding: Grounding | None = None
    sentence: Callable[[str], str] | None = None
    system: str = SYSTEM
    # Whoever knows the rules of each turn; None: the two chains above, for all.
    guards: GuardBook | None = field(default=None, repr=False)
    uploads: Uploads = field(default_factory=NoUploads)
    transcripts: Transcripts | None = None      # without it and links, nothing is summarised
    links: Links | None = None
    quoting: Quoting = quote                    # what is said when no model speaks
    remembers: bool = True                      # earlier turns of the conversation count

    async def answer(self, claim: Claim, reply: Reply, trail: Trail, *, last: bool = False) -> None:
        """Takes one claimed message from heard to answered. ``last``: no attempt will follow this one.

        A refusal leaves by raising, like everything else that is not an answer.
        """
        if self.guards is not None:
            return await self.ruled(self.guards, claim).answer(claim, reply, trail, last=last)
        answer = claim.answer
        if answer is None or not await self.may_still_be_shown(answer, claim, reply):
            answer = await self.compose(claim, reply, trail, last=last)
            await self.store.answered(claim, answer, trail, posted=reply.posted)    # nothing is computed twice now
        try:
            shown = await self.egress.show(answer, trail, note=note(answer))
        except Tripped as trip:         # the rules have changed since it was checkpointed
            raise Refused(str(trip), BLOCKED) from trip
        await reply.finish(shown)

    def ruled(self, guards: GuardBook, claim: Claim) -> Engine:
        """This line under the rules of one turn, from its question to the end of its answer."""
        chains = guards.for_turn(claim)
        return replace(self, inbound=chains.inbound, egress=chains.egress, passages=chains.passages,
                       models=routed(self.models, chains.routing), grounding=chains.grounding,
                       sentence=chains.sentence, system=chains.system, guards=None)

    async def summarise(self, claim: Claim, reply: Reply, trail: Trail, *, last: bool = False) -> None:
        """The same line, over what was said in the message's place instead of over pages."""
        if self.transcripts is None or self.links is None:
            raise NothingSaid("nothing is kept here of what people say to each other")
        room = room_for(self.budget.context, self.budget.answer)
        thread = Thread(self.transcripts, self.links, claim.message.place, self.tokens, room)
        line = replace(self, retriever=thread, quoting=extract, remembers=False, uploads=NoUploads(),
                       limits=replace(self.limits, passages=MOST))
        asked = replace(claim, message=replace(claim.message, text=INSTRUCTION, files=()))
        await line.answer(asked, reply, trail, last=last)

    async def may_still_be_shown(self, answer: Answer, claim: Claim, reply: Reply) -> bool:
        """Whether what a checkpointed answer was made from is still for everyone here: rights may have gone meanwhile.
        """
        audience = await self.readers(claim.message, reply)
        if not all(audience.may_read(acl) for acl in answer.acl):
            return False
        try:
            stand = await self.standing(answer.sources, audience, (claim.message.place,))
        except RetrieverUnavailable:
            return False
        return all(passage.id in stand for passage in answer.sources)

    async def compose(self, claim: Claim, reply: Reply, trail: Trail, *, last: bool) -> Answer:
        """From the question to the finished words, which stand on the platform by then, but for their sources."""
        message = claim.message
        self.check(message.text)
        await reply.status(await self.egress.notice(WORKING))
        audience = await self.readers(message, reply)
        first = await self.inbound.first(message.text, trail)
        question = first.text
        past = Conversation(message.conversation)
        if self.remembers:
            past = await self.store.load(message.conversation, before=claim, audience=audience)
        taken = await self.uploads.take(message)
        found, passed = await together(
            self.find(question, past, audience, taken), self.inbound.beside(question, trail))
        found, past = await self.still(found, past, audience)
        flags = tuple(dict.fromkeys(first.flags + passed.flags))
        answer = await self.speak(claim, passed.text, past, found, flags=flags, reply=reply, trail=trail, last=last)
        await self.stands(found, past, await self.readers(message, reply))
        return replace(answer, unread=taken.unread)

    async def readers(self, message: Message, reply: Reply) -> Audience:
        """Who will read the reply, now; what belongs to this conversation is theirs to read in it."""
        audience = await self.membership.audience(message.place, reply.visibility)
        return replace(audience, here=frozenset({within(message.conversation)}))

    def check(self, text: str) -> None:
        """Raises `EmptyMessage` or `MessageTooLong`."""
        if not text.strip():
            raise EmptyMessage("nothing but white space")
        if len(text) > self.limits.message_chars:
            raise MessageTooLong(len(text), self.limits.message_chars)

    async def find(self, question: str, past: Conversation, audience: Audience, taken: Taken) -> Found:
        """Passages, none for a greeting; without an index the answer goes on and says that no page stands behind it.

        What came with the question leads: it is what the question is about, however little its words say so.
        """
        if asks_nothing(question) and not taken.documents:
            return Found()
        limit = self.limits.passages
        try:
            found = await self.retriever.find(question, past=past, audience=audience, limit=limit)
            if taken.documents:
                own = await self.retriever.find(
                    question, past=past, audience=strictly(past.id, audience), limit=limit)
                found = led(tuple(p for p in own.passages if p.document in taken.documents), found, limit)
        except RetrieverUnavailable:
            if not self.models:         # then there is nothing else to say
                raise
            return Found(searched=False)
        # The index is asked with the mask; what it brings is looked at once more.
        return replace(found, passages=tuple(p for p in found.passages if audience.may_read(p.acl)))

    async def still(self, found: Found, past: Conversation, audience: Audience) -> tuple[Found, Conversation]:
        """What of both the store still has for this audience at the moment when a prompt is made of them.

        An earlier answer one of whose sources is gone, cited or not, says that it is withdrawn, and nothing else any
        more.
        """
        earlier = handed_on(past)
        if not found.passages and not earlier:
            return found, past
        try:
            places = [turn.question.place for turn in past.turns]
            stand = await self.standing((*found.passages, *earlier), audience, places)
        except RetrieverUnavailable:
            if not self.models:
                raise
            return Found(searched=False), marked(past, set())
        passages = tuple(p for p in found.passages if p.id in stand)
        return replace(found, passages=passages, answers=found.answers and bool(passages)), marked(past, stand)

    async def standing(
        self, passages: Sequence[Passage], audience: Audience, places: Sequence[Place],
    ) -> frozenset[PassageId]:
        """Which of what answers were made from may still be read: a summary comes from messages, not from pages."""
        return await standing(passages, audience, places, pages=self.retriever, transcripts=self.transcripts)

    async def stands(self, found: Found, past: Conversation, audience: Audience) -> None:
        """Raises `PassageWithdrawn` unless all of it may still be read by everyone who is here now.

        What earlier answers were made from, too: the words of this one may be theirs.
        """
        sources = (*found.passages, *handed_on(past))
        if not all(audience.may_read(acl) for acl in (*(p.acl for p in found.passages), *inherited(past))):
            raise PassageWithdrawn("somebody is here now who may not read what this was made from")
        if not sources:
            return
        stand = await self.standing(sources, audience, [turn.question.place for turn in past.turns])
        if gone := sum(passage.id not in stand for passage in sources):
            raise PassageWithdrawn(f"{gone} passages may not be read any more")

    async def speak(
        self, claim: Claim, question: str, past: Conversation, found: Found, *, flags: tuple[str, ...], reply: Reply,
        trail: Trail, last: bool,
    ) -> Answer:
        """The first model that gives an answer; when none is there, the pages themselves."""
        deflected = False
        given = found if found.answers else Found(searched=found.searched, whole=found.whole)
        if self.passages is not None and self.models:
            given = await self.passages.screen(given, trail)
        for model in self.models:
            prompt = build_prompt(
                past, given, question, trace=claim.trace, tokens=self.tokens, budget=self.budget,
                priority=20 if claim.lane == 0 else 0, salt=self.egress.fingerprint(tenant(claim))[:16],
                system=self.system,
            )
            screen = self.egress.open(question, Found(prompt.passages, given.answers), trail, flags)
            try:
                answer = await self.say(model.stream(prompt), screen, reply, Mode.MODEL, model.name)
                if self.grounding is not None:
                    answer = await self.grounding.check(answer, prompt.passages, trail)
                read = dict.fromkeys((*(p.acl for p in prompt.passages), *inherited(past)))
                return replace(answer, asked=question, searched=given.searched, made_from=tuple(read),
                               read_from=names((*prompt.passages, *handed_on(past))), whole=given.whole)
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
            said = self.sentence(question) if self.sentence is not None else ""
            raise Deflected("every model that may be asked gave a stock script", said)
        if not found.searched and not last:     # nothing to say at all: that may pass
            raise RetrieverUnavailable("neither a model nor the index answers")
        screen = self.egress.recite(question, found, trail)
        words = recite(self.quoting(found, question, connected=bool(self.models)))
        answer = await self.say(words, screen, reply, Mode.QUOTE, None)
        return replace(answer, asked=question, searched=found.searched)

    async def say(
        self, pieces: AsyncGenerator[Piece, None], screen: Screen, reply: Reply, mode: Mode, model: str | None,
    ) -> Answer:
        """Shows what is cleared, as it is cleared, and returns the whole."""
        held = mode is Mode.MODEL and self.grounding is not None and self.grounding.holds
        async with aclosing(release(pieces, screen)) as cleared:
            async for ready in cleared:
                if not held:
                    await reply.append(ready)
        text, finished = screen.text.strip(), screen.finished
        if not text:
            raise ModelBroken("the answer was empty")
        return Answer(
            text, screen.citations, bool(screen.citations), mode, model,
            cut=finished is not None and finished.reason == "length",
            usage=finished.usage if finished else Usage(),
        )


def routed(models: Sequence[N], routing: Sequence[str]) -> tuple[N, ...]:
    """The models in the order that the policy wants; without one as they are configured. Unknown names are left
    out: where models are configured, a policy that names any other is refused when it is read."""
    by_name = {model.name: model for model in models}
    return tuple(by_name[name] for name in routing if name in by_name) or tuple(models)


def note(answer: Answer) -> str:
    """The sentence that stands under an answer."""
    notes = [CUT] if answer.cut else []
    if not answer.grounded and answer.mode is Mode.MODEL and not asks_nothing(answer.asked):
        notes.append(UNSEARCHED if not answer.searched else UNGROUNDED if answer.whole else UNFINISHED)
    if answer.unread:
        notes.append(UNREAD.format(files="; ".join(answer.unread)))
    return " ".join(notes)


def marked(past: Conversation, standing: Collection[PassageId]) -> Conversation:
    """The same past; answers that were made from anything else say that they are withdrawn, and hand on nothing."""
    return replace(past, turns=tuple(
        replace(turn, answer=replace(turn.answer, text=WITHDRAWN, citations=(), read_from=()))
        if turn.answer and any(p.id not in standing for p in turn.answer.sources) else turn
        for turn in past.turns
    ))


def handed_on(past: Conversation) -> tuple[Passage, ...]:
    """What earlier answers were made from, and so whatever is made from them."""
    return tuple(passage for turn in past.turns if turn.answer for passage in turn.answer.sources)


def inherited(past: Conversation) -> tuple[Labels, ...]:
    """Who may read what earlier answers were made from, and so whatever is made from them."""
    return tuple(acl for turn in past.turns if turn.answer for acl in turn.answer.acl)


def names(passages: Sequence[Passage]) -> tuple[tuple[PassageId, str], ...]:
    """Of each document one passage: rights are a document's."""
    return tuple({p.document or p.id: (p.id, p.document) for p in passages}.values())


def strictly(conversation: ConversationId, audience: Audience) -> Audience:
    """The same people, holding only what belongs to this conversation."""
    label = frozenset({within(conversation)})
    return Audience(tuple(Member(member.person, label) for member in audience.members[:1]), label)


def led(first: tuple[Passage, ...], found: Found, limit: int) -> Found:
    """Up to half of the passages, before those that were found anyway."""
    first = first[: max(1, limit // 2)]
    ids = {passage.id for passage in first}
    rest = (passage for passage in found.passages if passage.id not in ids)
    return replace(found, passages=(*first, *rest)[:limit], answers=found.answers or bool(first))


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
