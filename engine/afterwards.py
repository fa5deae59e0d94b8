"""What is asked about an answer once it stands: what it came from, and whether more people may see it.

Rights are looked at anew each time; that somebody could read the answer yesterday says nothing about today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.errors import Refused
from engine.guards.egress import BLOCKED, Egress, Shown, Tripped
from engine.messages import Answer, Audience, Passage, PassageId, Place, TraceId, Trail, Visibility
from engine.ports import Membership, Retriever, Transcripts
from engine.summary import standing
from engine.turn import note

NOT_FOR_ALL: Final = "I cannot share this: somebody in this channel may not read what it came from."


@dataclass(frozen=True, slots=True)
class Afterwards:
    """Both raise what the ports raise when rights cannot be told: then nothing is shown."""

    membership: Membership
    retriever: Retriever
    egress: Egress
    transcripts: Transcripts | None = None      # of what summaries are made of; without it they have no sources

    async def sources(self, answer: Answer, place: Place) -> Shown:
        """The citations of which this person may read the passage now; the words of the answer are left out."""
        audience = await self.membership.audience(replace(place, private=True), Visibility.PRIVATE)
        passages = [c.passage for c in answer.citations if audience.may_read(c.passage.acl)]
        kept = await self._standing(passages, audience, place)
        cited = tuple(c for c in answer.citations if c.passage.id in kept)
        return await self._shown(replace(answer, text="", citations=cited, cut=False), "")

    async def shareable(self, answer: Answer, place: Place) -> Shown:
        """The whole answer, for everyone in the place. Raises `Refused` unless each of them may read all of it."""
        audience = await self.membership.audience(replace(place, private=False), Visibility.SHARED)
        stand = await self._standing(answer.sources, audience, place)
        if any(p.id not in stand for p in answer.sources) or not all(audience.may_read(acl) for acl in answer.acl):
            raise Refused("not for everyone in the channel", NOT_FOR_ALL)
        return await self._shown(answer, note(answer))

    async def _standing(self, passages: Sequence[Passage], audience: Audience, place: Place) -> frozenset[PassageId]:
        return await standing(passages, audience, (place,), pages=self.retriever, transcripts=self.transcripts)

    async def _shown(self, answer: Answer, sentence: str) -> Shown:
        try:
            return await self.egress.show(answer, Trail(TraceId("")), sentence)
        except Tripped as trip:         # the rules have changed since it was given
            raise Refused(str(trip), BLOCKED) from trip
