"""What the rules find in a message, as columns beside the classifier's margins; trees join both.

A rule that was met means one thing in a short question and another in a long one, one thing where the sequences look
harmless and another where they do not. What that is, is learned from rows that the models had not seen.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import re2

from engine.guards.features import HEAD, TAIL, Reading, Vector
from engine.guards.harm import harm, unsafe_signs
from engine.guards.injection import met
from engine.guards.suspicion import joined, sentencewise
from engine.guards.topics import plainly, political_signs

COLUMNS: Final = 17
_TAIL: Final = 160              # characters at the end, where a suffix of noise stands
_SCENE: Final = re2.compile(
    r"\b(?:you are (?:an?|the|now)|you're an?|imagine|pretend|suppose|picture|act as|in the role of|role-?play\w*"
    r"|character|scenario|scene|fiction\w*|hypothetical\w*|novel|screenplay|script|story|game|simulat\w+"
    r"|documentary|dialogue|thought experiment|in a world|blog post|chapter)\b"
)
_EXCUSE: Final = re2.compile(
    r"\b(?:(?:for|purely|solely) (?:\w+ ){0,2}(?:educational|research|academic|training|awareness|testing|artistic"
    r"|journalistic|scientific) \w+|educational purposes|rais(?:e|ing) awareness|awareness campaign"
    r"|better understand\w*|it is (?:important|essential|crucial) to|only an example|merely"
    r"|in order to (?:protect|educate|prevent|inform)|authori[sz]ed|approved|legal in|no harm"
    r"|nobody (?:is|will be) hurt|don't worry)\b"
)
_FULLY: Final = re2.compile(
    r"\b(?:step[- ]by[- ]step|in (?:great |full |vivid )?detail|detailed|specific(?:ally|s)?|precise(?:ly)?|exactly"
    r"|realistic|convincing|persuasive|compelling|believable|comprehensive|make sure (?:to|that|you)|be sure to"
    r"|leave nothing out|do not hold back|as (?:\w+ ){1,3}as possible|including (?:the|all|any|specific))\b"
)
_SECOND: Final = re2.compile(r"\b(?:you|your|yourself)\b|你|您")
_ODD: Final = re2.compile(
    r"[A-Za-z][\])}>{(\[<|\\^$*#@!?;]+[A-Za-z]|[^\w\s]{3,}|[a-z]{2}[A-Z]|[\\^$`{}\[\]<>|#]|[!?,;:]{2}| [!?;:,)] "
)


def findings(text: str, reading: Reading) -> Vector:
    """`COLUMNS` numbers: suspicions by subject, rules met, length, script, dress. Of the first piece."""
    text = text[: HEAD + TAIL]
    plain = plainly(text)
    orders = met(text)
    harmful = sentencewise(unsafe_signs(), plain).score
    relieved = harm(plain).score
    return np.array([
        relieved, harmful, float(relieved < harmful), sentencewise(political_signs(), plain).score,
        joined(*orders.values()), len(unsafe_signs().read(plain)), len(political_signs().read(plain)), len(orders),
        len(plain), reading.wide, *_dress(text, plain, len(reading)),
    ])


def _dress(text: str, plain: str, length: int) -> tuple[float, ...]:
    """How a request is dressed up, whatever it asks for, and how odd its end looks beside its beginning."""
    text = text.encode("utf-8", "replace").decode()     # RE2 takes no lone surrogates; what is normalised has none
    scenes, excuses, fully, second = (
        float(min(sum(1 for _ in sign.finditer(plain)), 8)) for sign in (_SCENE, _EXCUSE, _FULLY, _SECOND)
    )
    odd, before = _oddness(text[-_TAIL:]), _oddness(text[:_TAIL])
    opened = sum(abs(text.count(left) - text.count(right)) for left, right in ("()", "[]", "{}"))
    return scenes, excuses, fully, second / (length + 10) ** 0.5, odd, odd - before, float(min(opened, 6))


def _oddness(part: str) -> float:
    """Marks where no prose and few programs have any, for every hundred characters."""
    return 100.0 * sum(1 for _ in _ODD.finditer(part)) / (len(part) + 20)
