"""Messages that ask nothing: a greeting, a word of thanks. No page is looked up for them, for some page always
holds the word: "thank you" once brought the rules for sick leave, for which "nobody will thank you".
"""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 80            # characters: who writes more than this asks something
_WORD: Final = re.compile(r"\w+(?:['’]\w+)?")
_FOR: Final = re.compile(r"\bfor (?:all )?(?:the |your |that |this )?(?:quick |great )?(?:help|info|answer|reply)\b")
_COURTEOUS: Final = frozenset(_WORD.findall(
    "thanks thank thx ty cheers hi hello hey hiya howdy morning afternoon evening greetings bye goodbye ok okay great "
    "perfect awesome brilliant excellent cool nice wonderful "
    "danke dank dankeschön hallo morgen servus moin tschüss merci bonjour salut bonsoir gracias hola grazie ciao "
    "谢谢 谢谢你 谢谢您 多谢 感谢 你好 您好 早上好 下午好 晚上好 再见 好的 "
    "ありがとう ありがとうございます こんにちは 감사합니다"
))
_ALLOWED: Final = _COURTEOUS.union(_WORD.findall(
    "you u so very much a lot many again good day night there all everyone everybody bot have see later one got it "
    "that's was is and to too for your this that ever "
    "guten gute tag abend nacht schön sehr vielen dir ihnen beaucoup muchas buenos buenas días dias tardes mille"
))


def asks_nothing(text: str) -> bool:
    """Whether it is a greeting or thanks and nothing else, in some languages; "yes" and "no" answer something."""
    if len(text) > _LONGEST or "?" in text:
        return False
    words = _WORD.findall(_FOR.sub("", text.casefold()))
    return not _COURTEOUS.isdisjoint(words) and _ALLOWED.issuperset(words)
