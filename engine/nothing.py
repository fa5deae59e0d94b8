"""What is said where nothing was found, in the languages that the company's own sentence comes in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engine.guards.policy import language_of

NOTHING: Final[Mapping[str, str]] = MappingProxyType({
    "en": "I found nothing in the pages that everyone here may read that answers this.",
    "zh": "在这里所有人都可以阅读的页面中，我没有找到能回答这个问题的内容。",
    "de": "In den Seiten, die alle hier lesen dürfen, habe ich nichts gefunden, was das beantwortet.",
    "fr": "Dans les pages que tout le monde ici peut lire, je n'ai rien trouvé qui y réponde.",
    "es": "En las páginas que todos aquí pueden leer no he encontrado nada que lo responda.",
    "ja": "ここにいる全員が読めるページの中に、お答えになるものは見つかりませんでした。",
})
SO_FAR: Final[Mapping[str, str]] = MappingProxyType({
    "en": "I have not read all of my pages yet. So far I found nothing in those that everyone here may read that "
          "answers this; please ask again in a while.",
    "zh": "我还没有读完所有页面。到目前为止，在这里所有人都可以阅读的页面中，我没有找到能回答这个问题的内容；"
          "请稍后再问。",
    "de": "Ich habe noch nicht alle meine Seiten gelesen. In denen, die alle hier lesen dürfen, habe ich bisher nichts "
          "gefunden, was das beantwortet; bitte fragen Sie in einer Weile noch einmal.",
    "fr": "Je n'ai pas encore lu toutes mes pages. Dans celles que tout le monde ici peut lire, je n'ai pour l'instant "
          "rien trouvé qui y réponde ; reposez la question dans un moment.",
    "es": "Aún no he leído todas mis páginas. En las que todos aquí pueden leer no he encontrado por ahora nada que lo "
          "responda; vuelva a preguntar dentro de un rato.",
    "ja": "まだすべてのページを読み終えていません。ここにいる全員が読めるページの中には、今のところお答えになるものは"
          "見つかりませんでした。しばらくしてからもう一度お尋ねください。",
})
"""Of how much was read of what it tells nothing: what somebody here may not read is among it."""
AWAY: Final[Mapping[str, str]] = MappingProxyType({
    "en": "The language model is not answering right now. ",
    "zh": "语言模型目前没有响应。",
    "de": "Das Sprachmodell antwortet gerade nicht. ",
    "fr": "Le modèle de langage ne répond pas pour le moment. ",
    "es": "El modelo de lenguaje no responde en este momento. ",
    "ja": "言語モデルは現在応答していません。",
})


def nothing(question: str, *, whole: bool, away: bool) -> str:
    """The sentence, in the question's language. ``whole``: all pages were read; ``away``: there is a model, which is.
    """
    language = language_of(question)
    said = NOTHING if whole else SO_FAR
    language = language if language in said else "en"
    return f"{AWAY[language] if away else ''}{said[language]}"
