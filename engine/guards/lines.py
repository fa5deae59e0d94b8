"""The stock lines of hosted services, and the folding under which they are compared.

They are short phrases that DeepSeek, Qwen/Tongyi, Kimi, GLM, Doubao, Ernie and others put in the place of an
answer, or append to one that they cut off. A line may have a polite opening, punctuation and blanks anywhere,
any case, full or half width, traditional or simplified characters. One that is written with a full stop below
counts only when its sentence ends there.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from engine.guards.normalise import letters, written

FIRM_CJK: Final = 12
FIRM_LATIN: Final = 28
"""Folded characters from which on a line is too particular to be the beginning of another sentence."""

Node: TypeAlias = "dict[str, Node]"
END: Final = ""
"""The key under which a node says that a line ends here; what stands there says whether its sentence must, too."""

_OPENINGS_EN: Final = (
    "", "sorry", "sorry but", "I'm sorry", "I'm sorry but", "I am sorry", "I am sorry but", "I apologize",
    "I apologize but", "my apologies", "apologies", "unfortunately", "hello", "hi", "oops", "uh-oh", "dear user",
)
_LINES_EN: Final = (
    "that's beyond my current scope",
    "that is beyond my current scope",
    "this is beyond my current scope",
    "this question is beyond my current scope",
    "your question is beyond my current scope",
    "let's talk about something else",
    "let's chat about something else",
    "let's change the topic and chat again",
    "let's change the subject and chat",
    "I'm not sure how to approach this type of question yet",
    "I'm not sure how to approach these types of questions yet",
    "I am not sure how to approach this type of question yet",
    "let's chat about math, coding, and logic problems instead",
    "I haven't learned how to think about these kinds of questions yet",
    "I haven't learned how to answer this question yet",
    "I have not learned how to answer this question yet",
    "I have not yet learned how to answer this question",
    "I cannot answer that question. I am an AI assistant designed to provide helpful and harmless responses",
    "I can't answer that question. I am an AI assistant designed to provide helpful and harmless responses",
    "I cannot answer this question for the time being",
    "I can't answer this question right now. Let's talk about something else",
    "I cannot answer this question at the moment. Let's change the topic",
    "this question cannot be answered for now",
    "as an AI language model I have not learned how to answer this question",
    "as an AI language model I cannot discuss political topics",
    "as an AI assistant I cannot discuss political topics",
    "according to relevant laws, regulations and policies I cannot answer this question",
    "according to relevant laws and regulations this question cannot be answered",
    "content security warning: output text data may contain inappropriate content",
    "content security warning: input text data may contain inappropriate content",
    "content security warning: the output text data may contain inappropriate content",
    "content security warning: the input text data may contain inappropriate content",
    "input data may contain inappropriate content.",
    "output data may contain inappropriate content.",
    "input text data may contain inappropriate content.",
    "output text data may contain inappropriate content.",
    "there was an issue connecting to Qwen",
    "the content was stopped because it does not comply with the rules",
)
_OPENINGS_ZH: Final = (
    "", "你好", "您好", "抱歉", "很抱歉", "非常抱歉", "十分抱歉", "真抱歉", "对不起", "不好意思", "尊敬的用户",
    "尊敬的用户您好", "尊敬的用户你好", "您好抱歉", "你好抱歉", "您好很抱歉", "你好很抱歉",
)
_LINES_ZH: Final = (
    "这个问题我暂时无法回答",
    "这个问题我无法回答，让我们换个话题",
    "这个问题我暂时无法回答，让我们",
    "这个问题我暂时无法回答，换个",
    "这个问题暂时无法回答",
    "我暂时无法回答这个问题",
    "我暂时无法回答您的问题",
    "我暂时无法回答你的问题",
    "我目前无法回答这个问题",
    "我无法回答这个问题，让我们换个话题",
    "我无法回答这个问题，换个话题",
    "我无法给到相关内容",
    "我无法回答此类问题，让我们换个话题",
    "我还没有学会如何思考这类问题",
    "我还没有学会如何回答这个问题",
    "我还没有学会回答这个问题",
    "我还没学会回答这个问题",
    "我还没学习如何回答这个问题",
    "作为一个人工智能语言模型，我还没学习如何回答这个问题",
    "作为个人工智能语言模型，我还没学习如何回答这个问题",
    "作为一个人工智能语言模型，我还没有学习如何回答这个问题",
    "作为一个人工智能语言模型，我还没有学会如何回答这个问题",
    "作为一个人工智能语言模型，我不能讨论政治",
    "作为AI语言模型，我无法讨论政治",
    "作为一个AI助手，我无法讨论政治",
    "作为人工智能助手，我不能讨论政治敏感",
    "我不能讨论政治敏感话题",
    "我无法讨论政治敏感话题",
    "这个问题我还在学习中",
    "这个话题我还在学习中",
    "这个问题我还不会，换个话题",
    "这超出了我目前的能力范围，换个话题",
    "这超出了我目前的范围，让我们聊点别的",
    "这个问题超出了我的能力范围，让我们换个话题",
    "这个话题超出了我的讨论范围",
    "让我们换个话题吧",
    "让我们换个话题聊聊吧",
    "让我们换个话题再聊聊吧",
    "让我们换一个话题聊聊吧",
    "让我们换一个话题吧",
    "我们换个话题聊聊吧",
    "我们换个话题吧",
    "咱们换个话题聊聊吧",
    "让我们聊聊其他话题吧",
    "让我们聊点别的吧",
    "换个话题聊聊吧",
    "换个话题试试吧",
    "换个问题试试吧",
    "根据相关法律法规和政策，我无法回答",
    "根据相关法律法规和政策，这个问题无法回答",
    "根据相关法律法规和政策，不能回答",
    "根据相关法律法规，我无法回答",
    "根据相关法律，这个问题不予以回答",
    "根据相关法律法规，该内容无法展示",
    "关于这个问题，您可以参阅相关内容网站",
    "您的问题涉及敏感信息，我无法回答",
    "您提出的问题涉及敏感信息",
    "该问题涉及敏感内容，无法回答",
    "您的输入可能包含不合适的内容",
    "您输入的内容含有敏感信息",
    "内容由于不合规被停止生成",
    "内容安全警告，输出文本数据可能包含不适当的内容",
    "内容安全警告，输入文本数据可能包含不适当的内容",
)
def cjk(char: str) -> bool:
    """One of the unified ideographs that the lines are written in."""
    return "\u4e00" <= char <= "\u9fff"      # an empty one is none


def openers(root: Node) -> str:
    """Ideographs, as they may be written, that a line begins with."""
    return "".join(sorted({char for simple in root if cjk(simple) for char in written(simple)}))


def beginnings(root: Node, size: int) -> frozenset[str]:
    """The first letters of all lines, up to so many."""
    return frozenset(
        first + rest for first, node in root.items() if first != END
        for rest in ("", *(beginnings(node, size - 1) if size > 1 else ()))
    )


def tree() -> Node:
    """All lines with all openings, letter by letter."""
    root: Node = {}
    for openings, lines in ((_OPENINGS_EN, _LINES_EN), (_OPENINGS_ZH, _LINES_ZH)):
        for opening in openings:
            for line in lines:
                node = root
                for char in letters(opening + line):
                    node = node.setdefault(char, {})
                node[END] = {END: {}} if line.endswith(".") else {}
    return root
