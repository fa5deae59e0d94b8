"""Somebody attaches a file to a question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.qdrant.attached import Attached
from adapters.qdrant.index import PassageIndex
from engine.guards.chain import Inbound
from engine.guards.citations import CitationGuard
from engine.guards.egress import Egress
from engine.messages import (
    Answer,
    Audience,
    Claim,
    Conversation,
    ConversationId,
    File,
    Message,
    Place,
    TraceId,
    Trail,
    Turn,
    Visibility,
)
from engine.prompt import Estimate
from engine.turn import Engine
from tests.adapters.qdrant.test_attached import PLAN, Chat, small
from tests.adapters.qdrant.worlds import a_page, an_index
from tests.builders import a_message, an_audience
from tests.fakes import Post, PostReply, Room, ScriptedModel

EVERYBODY = an_audience(ann="org", bob="org")


@dataclass
class Notebook:
    """A store that remembers every conversation, and lets each be read by whoever may."""

    turns: list[Turn] = field(default_factory=list)

    async def load(self, conversation: ConversationId, *, before: Claim, audience: Audience) -> Conversation:
        del before
        return Conversation(conversation, tuple(
            turn for turn in self.turns
            if turn.answer and turn.question.conversation == conversation
            and all(audience.may_read(acl) for acl in turn.answer.acl)
        ))

    async def answered(self, claim: Claim, answer: Answer, trail: Trail, *, posted: str | None) -> None:
        del trail, posted
        self.turns.append(Turn(claim.message, answer))


@dataclass
class Everybody:
    async def audience(self, place: Place, visibility: Visibility) -> Audience:
        del place, visibility
        return EVERYBODY


@dataclass
class Line:
    """One engine, without a queue: what was claimed is answered."""

    engine: Engine
    model: ScriptedModel
    notebook: Notebook

    async def hears(self, message: Message) -> Post:
        trace = TraceId(f"{len(self.notebook.turns):032}")
        post = Post(trace)
        await self.engine.answer(
            Claim(trace, message), PostReply(post, Room({}), lambda: None), Trail(trace), last=True)
        return post


@asynccontextmanager
async def a_line(folder: Path, model: ScriptedModel, files: Sequence[bytes]) -> AsyncIterator[Line]:
    async with an_index(folder) as index:
        await index.put([a_page("leave.md", "# Leave\n\nGive ten days notice of leave.")])
        line = a_line_over(index, model, files)
        try:
            yield line
        finally:
            line.engine.uploads.close()     # type: ignore[attr-defined]


def a_line_over(index: PassageIndex, model: ScriptedModel, files: Sequence[bytes]) -> Line:
    chat = Chat({f"F{number}": content for number, content in enumerate(files)})
    notebook = Notebook()
    fingerprint = str
    engine = Engine(
        notebook, Everybody(), index, (model,), Inbound((), fingerprint), Egress((CitationGuard(),), fingerprint),
        Estimate(), uploads=Attached(lambda: index, {"test": chat}, indexer=small),
    )
    return Line(engine, model, notebook)


def asks(text: str, *names: str, conversation: str = "general") -> Message:
    files = tuple(File(f"F{number}", name, f"https://chat.acme.example/F{number}") for number, name in enumerate(names))
    return replace(a_message(text, conversation=conversation), files=files)


async def test_it_leads_the_passages_is_cited_like_a_page_and_stays_in_its_conversation(tmp_path: Path) -> None:
    model = ScriptedModel([["The merger is called heron [1]."], ["Heron [1]."], ["I do not know."]])
    async with a_line(tmp_path, model, [PLAN]) as line:
        first = await line.hears(asks("summarise this", "plan.md"))
        again = await line.hears(asks("how is the merger called?"))
        elsewhere = await line.hears(asks("how is the merger called?", conversation="random"))
    assert (first.text, first.sources, first.note) == ("The merger is called heron [1].", ["Plan"], "")
    assert "[1] Plan" in model.heard[0].messages[-1].text
    assert (again.text, again.sources) == ("Heron [1].", ["Plan"])
    assert "The merger is called heron" in model.heard[1].messages[2].text      # history of the same conversation
    assert "heron" not in str(model.heard[2].messages).lower()
    assert elsewhere.sources == []


async def test_what_cannot_be_read_is_one_sentence_under_the_answer(tmp_path: Path) -> None:
    model = ScriptedModel([["Heron [1]."]])
    async with a_line(tmp_path, model, [PLAN, b"\x7fELF" + bytes(100)]) as line:
        post = await line.hears(asks("how is the merger called?", "plan.md", "tool.md"))
    assert (post.text, post.sources) == ("Heron [1].", ["Plan"])
    assert post.note == "I could not read tool.md, which is called .md and is a program."


async def test_when_the_message_is_deleted_its_file_is_forgotten(tmp_path: Path) -> None:
    model = ScriptedModel([["Heron [1]."], ["I do not know."]])
    async with a_line(tmp_path, model, [PLAN]) as line:
        message = asks("how is the merger called?", "plan.md")
        await line.hears(message)
        await line.engine.uploads.forget(message.id)
        line.notebook.turns.clear()     # the store drops the turn with its question
        post = await line.hears(asks("how is the merger called?"))
    assert "heron" not in str(model.heard[1].messages).lower()
    assert post.sources == []
