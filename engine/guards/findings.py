"""What the rules find in a message, as columns beside the classifier's margins; trees join both.

A rule that was met means one thing in a short question and another in a long one, one thing where the sequences look
harmless and another where they do not. What that is, is learned from rows that the models had not seen.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.guards.features import HEAD, TAIL, Reading, Vector
from engine.guards.harm import harm, unsafe_signs
from engine.guards.injection import met
from engine.guards.suspicion import joined, sentencewise
from engine.guards.topics import plainly, political_signs

COLUMNS: Final = 10


def findings(text: str, reading: Reading) -> Vector:
    """`COLUMNS` numbers: suspicions by subject, how many rules were met, length and script. Of the first piece."""
    text = text[: HEAD + TAIL]
    plain = plainly(text)
    orders = met(text)
    harmful = sentencewise(unsafe_signs(), plain).score
    relieved = harm(plain).score
    return np.array([
        relieved, harmful, float(relieved < harmful), sentencewise(political_signs(), plain).score,
        joined(*orders.values()), len(unsafe_signs().read(plain)), len(political_signs().read(plain)), len(orders),
        len(plain), reading.wide,
    ])
