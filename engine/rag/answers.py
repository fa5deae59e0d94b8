"""Does anything that was found answer the question? A calibrated guess from what the search already knows.

Nearness alone does not tell: a question about a pet's funeral is near to the page about funerals. These help.
What answers stands out from the rest of what was found, and how near the rest is differs from one company's pages to
another's. A passage that holds the question's words counts for more, the more so the rarer the words are among the
pages: that "the", "page" and "day" are there says nothing. A name in the question that stands on no page
at all (a product, a city) weighs against it, and so does a word that the passage says in no way, see
`engine.rag.alike`. A long question shares fewer of its words with its answer, and is never as near to it, as a short
one. And where there are so few pages that all of them are among what was found, the rest is farther away than it is
elsewhere, yet pages that say much in few words are less near to what they answer.

The weights are rounded from a logistic regression over six collections of pages (handbooks of two companies, both
made up, and the manuals and rules of four free software projects) with 449 questions that they answer and 469, most of
them near in topic, that they do not; each also among the pages of all six, or of few. Names weigh more than there,
since few of those questions hold any. What is unsaid, and what is allowed for few pages, were set later, on nine
collections (five made-up handbooks and four manuals, 672 and 332 questions), so that at most 5 of 100 questions that
are answered are refused in either kind. Set without one of the nine and asked about that one, they refuse 6 of 100
that are answered and 57 of 100 that are not; without a look at what is unsaid it would be 54. From where on one is sure
was set once more when short forms were first written out, by the same measure on the eleven handbooks that the tests
bring: of their 483 questions that are answered 5.0 of 100 are refused. Terse handbooks are the hardest: 35 of 100.

All of this goes by words and by what a passage is about. Whether it says what is asked of it takes reading: that is
done where the search leaves it in doubt, see `engine.rag.reading`. With the same 5 of 100 refused, of the questions
that nothing answers 49 of 100 are refused in the four of those handbooks whose unanswerable questions are about
something else, 36 without reading; in the seven where they are asked in a page's own words, 18 and 15. How much
reading weighs was chosen there: from 0.05 to 0.08 it is much the same, also among the pages of all eleven, and 0.06
suited a larger collection best. `bench/retrieval_quality` measures the rule on pages that had little or no part in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

REST: Final = 0.75              # what the nearness of the rest counts, compared with that of the best
HELD: Final = 0.22              # cosine that holding all of the question's words is worth
UNSAID: Final = 0.5             # cosine that a passage loses which says nothing of what is asked
NAMED: Final = 0.2              # cosine that each name costs which no page holds
LENGTH: Final = 0.16            # cosine that each e-fold of the question's words is worth
FEW: Final = 3                  # words that the shortest question is taken to have: "what is a SEV1?" is no guess
SMALL: Final = 0.27             # cosine that is allowed for where there are hardly any pages
UNHEARD: Final = 6.0            # how rare a word is that no page holds: as one that a thousand passages hold once
SURE: Final = 0.525             # from here on, one passage answers
READ: Final = 0.06              # cosine that a unit of a reader's log-odds is worth
FIRM: Final = 2.0               # log-odds beyond which it makes no difference how sure the reader is
HEARD: Final = 0.605            # from here on, one passage answers by what both say
WEIGHED: Final = 6              # passages that are looked at, the best first, however many are shown
OTHERS: Final = 5               # pages beside the nearest; with fewer, they tell nothing about the rest
FAR: Final = 0.2                # how near the rest is, where there are not even so many

_NAME: Final = re.compile(r"(?<=[^.?!:\s])\s+([A-Z][\w.&-]*\w)|(?<!\w)((?=\w*\d)\w+)")
_SPOKEN: Final = frozenset(("I'm", "I've", "I'd", "I'll", "OK"))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One passage against a question: its cosine, the ids of the question's words that it holds, and what it leaves
    unsaid of it, as `engine.rag.alike` counts it."""

    nearness: float
    held: Collection[int]
    unsaid: float = 0.0


def level(nearness: Iterable[tuple[str, float]]) -> float:
    """How near the rest is: the cosine of the farthest of the pages that were found, of documents and cosines."""
    best: dict[str, float] = {}
    for document, cosine in nearness:
        best[document] = max(cosine, best.get(document, cosine))
    return min(best.values()) if len(best) > OTHERS else FAR


@dataclass(frozen=True, slots=True)
class Guess:
    """How well the best passage answers, on the scale of a cosine, but for how rare the question's words are.

    That costs a look at the index, which most questions can do without: see `open`.
    """

    standing: float             # how far it stands out
    words: Mapping[int, float]  # ids of the question's words with their weights, stop words aside
    held: tuple[frozenset[int], ...]    # those of them that each passage holds
    missing: frozenset[int]     # names that none of the passages holds

    @property
    def open(self) -> bool:
        """Whether it depends on how rare the words are."""
        most = self.standing + HELD * any(self.held)
        least = self.standing + HELD * any(len(held) == len(self.words) for held in self.held)
        return most >= SURE > least - NAMED * len(self.missing)

    def certainty(self, rarity: Mapping[int, float] | None = None) -> float:
        """``rarity``: of those words that some page holds, their inverse document frequency; None: all alike."""
        worth = self.words
        if rarity is not None:
            rare = {word: weight * rarity.get(word, UNHEARD) for word, weight in self.words.items()}
            worth = rare if any(rare.values()) else self.words      # else there is no difference to be made
        whole = sum(worth.values()) or 1.0
        held = max((sum(worth[word] for word in each) for each in self.held), default=0.0) / whole
        unknown = 0 if rarity is None else len(self.missing - rarity.keys())
        return self.standing + HELD * held - NAMED * unknown


def guess(
    evidence: Iterable[Evidence], *, words: Mapping[int, float], names: Collection[int] = (), level: float = FAR,
    found: float = 1.0,
) -> Guess:
    """``names``: those of the words that are names; ``level``: see there; ``found``: how many passages
    the search found, of all that it looks for."""
    passages = list(evidence)
    if not passages or not words:
        return Guess(0.0, {}, (), frozenset())
    held = tuple(frozenset(each.held) & words.keys() for each in passages)
    near = max(each.nearness for each in passages) - REST * level
    few = SMALL * max(0.0, 1 - found)
    unsaid = UNSAID * min(each.unsaid for each in passages)
    standing = near + LENGTH * math.log(max(FEW, len(words))) + few - unsaid
    return Guess(standing, words, held, frozenset(names).difference(*held))


def doubtful(certainty: float) -> bool:
    """Whether it depends on a reader, who costs more than the search; ``certainty`` is the search's."""
    return HEARD - READ * FIRM <= certainty < HEARD + READ * FIRM


def answered(certainty: float, read: float) -> bool:
    """Whether something answers. ``read``: a reader's log-odds that the best of what it was given does."""
    return certainty + READ * max(-FIRM, min(FIRM, read)) >= HEARD


def names(question: str) -> tuple[str, ...]:
    """What is written with a capital within a sentence, and what holds a digit."""
    found = (match[1] or match[2] for match in _NAME.finditer(question))
    return tuple(dict.fromkeys(name for name in found if name not in _SPOKEN))
