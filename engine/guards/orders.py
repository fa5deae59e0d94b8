"""How somebody gives orders to an assistant that is not theirs: rules over normalised text, in a dozen languages.

A sentence is the reach of a rule: ``[^.!?\\n]*`` costs RE2 one state, where a count would cost as many as it counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from functools import lru_cache
from itertools import chain
from typing import Final

import re2

from engine.guards.normalise import fold


class Where(Flag):
    """Whose words a rule reads."""

    ASKED = auto()
    DATA = auto()
    BOTH = ASKED | DATA


@dataclass(frozen=True, slots=True)
class Sign:
    """One rule. ``weight``: how suspicious a text is by this alone, 0 to 1."""

    rule: str
    weight: float
    where: Where
    pattern: str


_INSTRUCTION: Final = (
    r"(?:instruct\w*|prompts?|direct(?:ion|ive)s?|commands?|rules?|guidelines?|orders?|programming|restrictions?"
    r"|constraints?|polic(?:y|ies)|training|guardrails?|safeguards?|filters?)"
)
_EARLIER: Final = (
    r"(?:previous|prior|above|earlier|preceding|former|initial|original|foregoing|current|existing|past|system"
    r"|all|any|every|your|these|those|everything)"
)
_MODEL: Final = r"(?:ai|a\.i\.|llm|chat ?bot|assistant|language model|chat ?gpt|gpt|model|agent)"
_PROMPT: Final = (
    r"(?:(?:system|initial|original|hidden|secret|first|base|internal|developer|pre|starting|opening|custom|full|exact"
    r"|entire|complete|actual|active)[- ]?(?:\w+[- ]){0,2}"
    r"(?:prompts?|instructions?(?: set)?|messages?|rules?|directives?|guidelines?|configuration|settings?|context))"
)
_TELL: Final = (
    r"(?:reveal|show|print|repeat|output|tell|give|display|list|dump|paste|quote|translate|summari[sz]e|write|expose"
    r"|leak|disclose|share|recite|echo|copy|provide|return|describe|spell|encode|reproduce|send|read)"
)
_SOMEBODY: Final = (
    r"(?:you(?:'re| are| have| will| must| answer| respond| act| can (?:say|do|tell))|ai|a\.i\.|al|\w*gpt|\w*bots?"
    r"|model"
    r"|characters?|persona|respond\w*|responses?|answers?|repl(?:y|ies)|assistant|openai|named|he|she|dan)"
)
_UNBOUND: Final = (
    r"(?:without|no|free (?:from|of)|not bound by|has no|have no|not limited by|broken free|unbound)\b"
    r"[^.!?\n]*\b(?:ethic\w*|moral\w*|restrictions?|limitations?|filters?|filtering|censor\w*|guidelines"
    r"|openai|confines|content polic\w+|safety)\b"
)
"""Of a pump it says that it lacks a filter; of a machine that answers, that it knows no bounds."""
_NEVER_REFUSES: Final = (
    r"(?:"
    r"\b(?:never|cannot|can't|won't|must not|don't|do not|may not|not allowed to|will not|no longer"
    r"|without) (?:\w+ ){0,3}"
    r"(?:refus(?:e|ing)|decline|disclaimers?|apologi[sz]\w+|break character|(?:say|saying|mention|state) "
    r"(?:\w+ ){0,2}(?:i can't|i cannot|i'm sorry|as an ai|it's against))\b"
    r"|\bnever (?:say|tell)\b[^.!?\n]* you (?:can't|cannot)\b|\bno (?:disclaimers?|refusals?|warnings? or"
    r"|apologies)\b"
    r")"
)
_GROUPS: Final = ((
    # --- earlier instructions are set aside
    Sign("override", 0.93, Where.BOTH,
         r"\b(?:ignore|ignoring|disregard\w*|forget|overlook|discard|neglect|abandon|do not (?:follow|obey)"
         r"|don't follow"
         rf"|stop (?:following|obeying))\b[^.!?\n]*\b{_EARLIER}\b[^.!?\n]*\b{_INSTRUCTION}\b"),
    Sign("override", 0.93, Where.BOTH,
         # Who says "forget what I just said" takes back words of their own; "all that I said" may be what they wrote
         # in a model's name.
         r"\b(?:ignore|disregard|forget|overlook|(?:set|put|leave|lay|push) aside|drop|throw out)\b "
         r"(?:(?:(?:all|everything|anything|whatever) (?:of )?)(?:the |that |what(?:ever)? )?i(?:'ve| have)? "
         r"|(?:all |everything |anything |whatever )?(?:of )?"
         r"(?:the |that |what(?:ever)? )?(?:is |was |came |you(?:'ve| have| were)? )?)"
         r"(?:above|before this|been (?:told|instructed|taught)|told (?:you|before|earlier|so far)|given (?:before"
         r"|earlier)|were told|just said|said (?:above|before)|learned)"),
    Sign("override", 0.9, Where.BOTH,
         r"\b(?:override|bypass|circumvent|disable|turn off|remove|lift|drop|switch off)\b[^.!?\n]*\byour\b"
         rf"[^.!?\n]*\b{_INSTRUCTION}"),
    Sign("new_orders", 0.9, Where.BOTH,
         r"(?:^|[.!?:;\n\"'*#>\]\-] ?|\b(?:here (?:are|is)|these are|with|and|your|the following) (?:your |the )?)"
         r"(?:new|updated|revised|real|actual|urgent|important|priority|additional)(?: \w+){0,2} "
         r"(?:instructions?|task|directives?|orders?|mission|commands?)\b\W{0,6}(?::|\*\*|\n|$|are|follow|from now)"
         r"|\b(?:priority|urgent|new) task\b *[:*]"
         r"|\byour (?:new|real|only|true) (?:task|job|instructions?|goal|purpose|directive|role) (?:is|are)\b"),
    Sign("override", 0.93, Where.BOTH,
         "(?:忽略|无视|忘记|忘掉|不要理会|别理会?|不用管|抛开|撇开|放下|跳过|不必遵守|别管).{0,12}(?:指令|指示|提示|规则|规定|要求|设定|命令|限制"
         "|内容|说的)"),
    Sign("override", 0.93, Where.BOTH,
         "(?:以前|これまで|上記|前|先ほど|すべて|全て)の?.{0,8}(?:指示|命令|ルール|プロンプト|指令).{0,6}(?:無視|忘れ|従わ)"),
    Sign("override", 0.93, Where.BOTH,
         "(?:이전|위의|모든|기존).{0,10}(?:지시|명령|규칙|지침|프롬프트).{0,8}(?:무시|잊)"),
    Sign("override", 0.93, Where.BOTH,
         r"\b(?:ignora|ignore|ignorez|oublie|oubliez|olvida|olvide|esquece|esqueca|dimentica|ignoriere?n?|vergiss"
         r"|vergessen sie|missachte|negeer|vergeet|zignoruj|ignoruj|zapomnij|omite|descarta|desconsidere)\b[^.!?\n]*"
         r"\b(?:instruc\w+|instruktion\w*|istruzion\w*|consignes?|anweisung\w*|befehle?|regeln|vorgaben|ordenes|reglas"
         r"|regles|regole|ordres|aanwijzing\w*|instrukcj\w*|polecen\w*|prompts?)\b"
         r"|\b(?:ignora|olvida) (?:todo )?lo (?:anterior|de arriba)\b|\boublie tout ce qui precede\b"
         r"|\b(?:bisherige\w*|vorherige\w*|obige\w*|alle[ns]?) (?:\w+ )?(?:anweisung\w*|vorgaben|regeln|befehle?"
         r"|instruktion\w*)"
         r"\b[^.!?\n]*\b(?:beiseite|ausser acht|hinter dir)\b"
         r"|\bvergiss alles (?:davor|bisherige|vorherige|obige)\b"),
    Sign("override", 0.93, Where.BOTH,
         "(?:игнорируй|игнорируйте|проигнорируй|забудь|забудьте|не обращай внимания).{0,40}"
         "(?:инструкци|указани|правил|команд|сказан|предыдущ)"),
    # --- somebody else's voice
    Sign("role_tag", 0.93, Where.BOTH,
         r"<\|(?:im_start|im_end|system|user|assistant|endoftext|start_header_id|end_header_id|eot_id|start|channel)\|>"
         r"|\[/?inst\]|<</?sys>>|</?(?:system|assistant|instructions?)>|\[/?(?:system|system_?message)\]"
         r"|<(?:god|admin|root|debug) mode>|<start_of_turn>"),
    Sign("role_tag", 0.6, Where.BOTH,
         r"(?:^|\n)[ #*>\-\[\(]{0,6}(?:system|assistant|developer)(?: (?:message|prompt|notice|note|override|update))?"
         r" ?[\]\)*]{0,3}: ?"),
    Sign("delimiter", 0.6, Where.BOTH,
         rf"(?:^|\n)[ \t]*(?:[-=#*_~]{{3,}}|\"\"\"|```)[ \t]*(?:end|begin|start|stop|new)? ?(?:of )?(?:the )?"
         rf"(?:\w+ ){{0,2}}{_INSTRUCTION}"),
    Sign("delimiter", 0.7, Where.BOTH,
         r"\b(?:end of|end) (?:the )?(?:document|e-?mail|page|user input|context|data|system prompt)\b\W{0,8}\n"
         rf"[^\n]*\b(?:you|{_INSTRUCTION}|now)\b"),
    Sign("authority", 0.75, Where.BOTH,
         r"\b(?:i am|i'm|this is|as) (?:your|the) (?:\w+ )?(?:developer|creator|god|admin(?:istrator)?|owner"
         r"|programmer|maker|boss"
         r"|engineer)s?\b[^.!?\n]*\b(?:you|your|must|need|check|mode)\b|我是(?:上帝|你的(?:创造者|开发者|主人|管理员))"),
    Sign("mode", 0.92, Where.BOTH,
         r"\b(?:god|admin|root|sudo|unrestricted|unfiltered|jailbreak|dan|chaos|evil|opposite) mode\b"
         r"|\b(?:developer|dev|debug|maintenance|diagnostic|test|experimental|simulation|kernel) mode\b[^.!?\n]*"
         r"\b(?:you|your|chat ?gpt|output|response)\b"
         r"|\b(?:you are|you're) (?:now )?(?:in|running in|operating in|entering) (?:\w+ )?"
         r"(?:developer|dev|debug|maintenance|diagnostic|test|experimental) mode\b"),
    Sign("test_run", 0.75, Where.BOTH,
         r"\byou(?:'re| are)(?: now)? (?:running|operating|being (?:tested|run)|part of)\b[^.!?\n]*"
         r"\b(?:test|pipeline|training|debug|experiment)"
         r"|\b(?:as part of|for) (?:a|an|this|the) (?:training|testing|debug\w*|evaluation|research|academic|red.?team)"
         r" (?:exercise|run|session|purposes?|experiment|task|study)\b[^.!?\n]*\b(?:you|your)\b"
         r"|\bspecial case\b ?:|\b(?:to|for) debug(?:ging)?(?: purposes)?[,:] "),
    # --- personae
    Sign("persona", 0.93, Where.BOTH,
         r"\bdo anything now\b|\b(?:you are|act as|you're|become|call you|named|pretend to be"
         r"|role ?play as)\b (?:\w+ ){0,3}"
         r"(?:dan|stan|dude|aim|jailbroken|unrestricted|unfiltered|uncensored|no limits|amoral|evil|unethical)\b"),
    Sign("persona", 0.92, Where.BOTH,
         rf"\b{_SOMEBODY}\b[^.!?\n]*\b{_UNBOUND}"
         r"|\b(?:knows?|has|have|with) no (?:taboos?|shame|scruples|inhibitions)\b|\b(?:slipped|broken?|off) (?:its"
         r"|his|her|the|your)"
         r" (?:leash|chains?|shackles)\b"),
    Sign("persona", 0.6, Where.BOTH, rf"\b{_UNBOUND}"),
    Sign("answers_all", 0.7, Where.BOTH,
         r"\b(?:answers?|says?|does|complies with|obeys?|fulfils?) (?:everything|anything|any (?:question|request)"
         r"|every"
         r" (?:question|request|wish))\b[^.!?\n]*\b(?:forbidden|illegal|taboo|dangerous|banned|immoral|no matter"
         r"|however)"
         r"|什么都(?:能|可以|敢)说|有问必答.{0,12}(?:禁|限制|底线)"),
    Sign("never_refuse", 0.92, Where.BOTH,
         rf"\b{_SOMEBODY}\b[^.!?\n]*{_NEVER_REFUSES}|{_NEVER_REFUSES}[^.!?\n]*\b{_SOMEBODY}\b"),
    Sign("never_refuse", 0.75, Where.BOTH, _NEVER_REFUSES),
    Sign("in_character", 0.7, Where.BOTH,
         r"\bstay(?:ing)? in character\b|\bremain in character\b|\byou will now (?:act|play|behave|pretend"
         r"|role ?play)\b"
         r"|\bfrom now on,? you\b|\byou(?:'re| are) (?:now|going to be|about to (?:act|immerse))\b[^.!?\n]*"
         rf"\b(?:{_MODEL}|character|named|role)\b|\bpretend (?:that )?you(?:'re| are)\b[^.!?\n]*\b{_MODEL}\b"),
    Sign("two_answers", 0.92, Where.BOTH,
         r"\b(?:two|both|2) (?:different )?(?:responses?|answers?|ways|paragraphs)\b[^\n]*"
         r"\b(?:normal|standard|default|regular|classic)\b|\[(?:\W?classic|\W?jailbreak|gpt|normal|your default)"),
    Sign("forced_opening", 0.75, Where.BOTH,
         r"\b(?:begin|start|open|respond|reply|answer)\b[^.!?\n]*\b(?:with|by saying|by writing)\b ?:?"
         r" ?['\"](?:sure|absolutely|of course|yes|certainly|here is|here's|i have been|hello|chatgpt|\w+:)"
         r"|\bblocked (?:responses|strings|modes)\b|\ballow_?refusals? ?= ?false|\bopposite(?:ley)?\b\.?\]"),
    # --- what a document has no business to say
    Sign("to_the_assistant", 0.93, Where.DATA,
         rf"\b(?:note|message|attention|instructions?|warning|memo)s? (?:to|for) (?:the |all "
         rf"|any )?(?:\w+ )?{_MODEL}s?\b"
         rf"|\b(?:dear|hey|hello|attention),? (?:the )?(?:ai )?{_MODEL}\b"
         rf"|\b(?:if|when|as) (?:you(?:'re| are)|reading this as) (?:an?|the) (?:\w+ )?{_MODEL}\b"
         rf"|\b(?:ai (?:agents?|assistants?|models?)|assistants?|llms?|chat ?bots|language models?)\b"
         r"(?: reading this| processing this)? (?:must|should|shall|has to|have to|need to|are (?:to|required))\b"),
    Sign("about_the_answer", 0.93, Where.DATA,
         r"\b(?:in|to|with|into|of|before|after|throughout|at the (?:end|start|beginning) of|using|augment|enhance"
         r"|provide"
         r"|supplement|format|write|present|deliver|adjust|modify|encode|translate|begin|start|end|finish|conclude"
         r"|convert|rewrite|construct|craft|compose|introduce|include|insert|add|append|integrate|incorporate|weave"
         r"|embed)"
         r"\b[^.!?\n]*\byour (?:\w+ )?(?:repl(?:y|ies)|responses?|answers?|outputs?|summary|solution)\b"),
    Sign("about_the_answer", 0.7, Where.DATA,
         r"\byour (?:reply|response|answer|output|summary)\b"
         r"|\b(?:when|whenever|if|while|before) (?:you(?:'re| are)? )?(?:asked|summari[sz]\w+|answer\w*|respond\w*"
         r"|reply\w*)\b"
         r"[^.!?\n]*\b(?:say|tell|claim|state|add|include|recommend|mention|always|only|instead|first)\b"),
    Sign("behind_the_back", 0.93, Where.DATA,
         r"\b(?:do not|don't|never|without) (?:mention\w*|tell\w*|inform\w*|notify\w*|alert\w*|reveal\w*"
         r"|let\w*)\b[^.!?\n]*"
         r"\b(?:the )?(?:user|reader|human|person|anyone|them)\b"
         r"|\btell (?:the )?(?:user|reader|human|person)s?\b|\b(?:the )?(?:user|reader) has (?:already )?(?:approved"
         r"|agreed)\b"),
    Sign("send_out", 0.9, Where.DATA,       # as an order: a page that forbids it says "never send", "do not forward"
         r"(?:^|[^\w ] ?|\b(?:and|then|also|please|now|next|first|to|must|should|shall|will|can|you|ai|just"
         r"|always|\w+ly) )"
         r"(?:send|forward|post|upload|transmit|e-?mail|exfiltrate|submit)\b[^.!?\n]*"
         r"\b(?:conversation|chat|history|context|credentials?|passwords?|api keys?|secrets?|tokens?"
         r"|contents? of)\b[^.!?\n]*"
         r"(?:\bto\b|https?:)|\bcurl [^\n]*\| ?(?:ba|z)?sh\b"),
    Sign("planted_code", 0.9, Where.DATA,
         r"\b(?:include|insert|incorporate|integrate|use|ensure|engage|employ|add|embed|adopt|assimilate|let|apply"
         r"|leverage"
         r"|make|utili[sz]e|implement|consider|enrich|augment|fortify|blend|infuse)\b[^.!?\n]*"
         r"\b(?:code|snippet|script)\b[^.!?\n]*"
         r"\b(?:your|solution|implementation|code ?base|project|architecture|robustness|application|program|design"
         r"|system)\b"),
), (
    # --- the prompt itself
    Sign("extraction", 0.9, Where.BOTH,
         rf"\b{_TELL}\b[^.!?\n]*\b(?:your|you(?:'ve| have| were)?(?: been)?)\b[^.!?\n]*\b{_PROMPT}"
         rf"|\b{_TELL}\b[^.!?\n]*\b(?:above|before|ahead of|prior to|preceding) (?:this|my|the|our) (?:(?:very|first"
         rf"|whole|own) )*"
         r"(?:line|message|text|conversation|sentence|prompt)"
         rf"|\b{_TELL}\b[^.!?\n]*\b(?:everything|all|the (?:text|words|content|lines|sentences?))\b[^.!?\n]*"
         r"\b(?:above|before this|preceding|that stands? (?:above|before))(?:\W*$|\s*[.!?,;:()\n]| (?:verbatim|word"
         r"|exact\w*"
         r"|in|and|starting|beginning|as|into|back|this (?:line|message|point)|including|again|to me|here"
         r"|backwards)\b)"),
    Sign("extraction", 0.9, Where.BOTH,
         rf"\b{_TELL}\b[^.!?\n]*\b(?:your|you)\b[^.!?\n]*\b{_INSTRUCTION}\b[^.!?\n]*"
         r"\b(?:verbatim|word for word|exactly|in full|completely|above|quote|numbered|translat\w+|base64"
         r"|initial(?:ly)?)\b"
         r"|\b(?:verbatim|word for word|in full)\b[^.!?\n]*\b(?:instructions?|prompt|rules?)\b"),
    Sign("extraction", 0.8, Where.BOTH,
         r"\bwhat (?:is|are|was|were|does|do|did)\b[^.!?\n]*\byour?\b[^.!?\n]*"
         rf"\b(?:{_PROMPT}|instructions?|prompt|rules|directives|guidelines)\b[^.!?\n]*"
         r"|\bwhat (?:were|have|had) you (?:been )?(?:told|instructed|ordered|asked|given) (?:to (?:do|say|hide|keep)"
         r"|by (?:those|the"
         r" (?:people|ones)|your|whoever)|before (?:this|we|i)|at the (?:start|beginning|outset))"
         r"|\bmy instructions (?:say|are|tell)\b|\b(?:instructions?|rules|prompt) (?:that )?you (?:were|have been"
         r"|got|received|must)\b"),
    Sign("extraction", 0.9, Where.BOTH,
         r"\b(?:starting|begins?|beginning|start) with (?:the (?:phrase|words) )?['\"]?you are\b"
         r"|\byour (?:unique|secret|hidden|internal) (?:id|identifier|name)\b"
         r"|\bshare your (?:configuration|settings|setup|instructions)\b"
         r"|\b(?:initial|original|first|exact) (?:prompt|instructions|message) (?:that )?you (?:were|have been|got"
         r"|received)\b"),
    Sign("extraction", 0.9, Where.BOTH,
         "(?:你|您).{0,12}(?:系统|初始|原始|最初|隐藏|内部|开头|开场|起始|预设).{0,6}(?:提示|指令|设定|指示|规则|prompt)"
         "|(?:输出|重复|复述|打印|告诉|发出|显示|列出|翻译).{0,16}(?:以上|上面|之前|系统|初始).{0,8}(?:内容|提示|指令|文字|设定|对话)"),
    Sign("extraction", 0.9, Where.BOTH,
         r"\b(?:muestra|repite|dime|imprime|revela|affiche|repete|repetez|montre|recopie|donne|zeige?|wiederhole?"
         r"|nenne|gib"
         r"|mostra|ripeti|stampa|mostre|repita)\b[^.!?\n]*"
         r"\b(?:instrucciones|consignes|instructions|anweisungen|istruzioni|instrucoes|systemprompt|prompt|vorgaben"
         r"|regeln)\b"),
    Sign("secret_question", 0.8, Where.BOTH,
         r"\bwhat(?:'s| is| are| was)? (?:is )?(?:your|the) (?:\w+ )?(?:password|passphrase|pass ?code|secret (?:key"
         r"|code|word)|access code)s?\b"
         r"|\b(?:tell|give|reveal|print|share|write|spell) (?:\w+ ){0,2}(?:your|the) (?:\w+ )?"
         r"(?:password|passphrase|secret (?:key|code|word))\b"
         r"|(?:密码|口令|密钥)是(?:什么|多少)|contrasena\?|mot de passe ?\?"),
    Sign("markup", 0.9, Where.BOTH,
         r"\bon(?:error|load)\b ?= ?['\"(]?console\.log"
         r"|!\[[^\]\n]{0,40}\]\(https?://[^)\s]{0,120}\?\w{1,12}=(?:\[|\{|query|data)"
         r"|\bin your (?:response|reply|answer)\b[^.!?\n]*\b(?:string|code|image|link|tag)\b"),
    Sign("system_prompt_quoted", 0.6, Where.BOTH,
         r"[\"']you are[\"']|</?(?:secret|system|instructions?|prompt)>"
         r"|\b(?:teachtaireacht|theachtaireacht|teachdaireachd|mesazh\w*|umlayezo|ujumbe|neges|mensaxe"
         r"|missatge|sporocilo"
         r"|zprav\w*|sprav\w*|poruk\w*|uzenet\w*|mesaj\w*|xabar\w*|pesan|mensahe|thong diep|systeembericht"
         r"|systemmeddeland\w*|jarjestelmaviest\w*)\b[^.!?\n]*\b(?:chorais|an t-siostaim|siostaim|sistemit|sistemu"
         r"|wesistimu|wohlelo|mfumo|y system|sistema|rendszer\w*|sistem\w*|systemu|tizim\w*|he thong)\b"
         r"|\b(?:aitheantais uathuil|id sonraichte|id-(?:ne|ja|në) (?:tende|tuaj)|id unike|i-id yakho|kitambulisho"
         r"|adnabod unigryw|unique id|identificador unic\w*|eindeutige id|identifiant unique|id unic\w*)\b"),
    Sign("role_card", 0.5, Where.ASKED,
         r"\b(?:from now on|i want you to act|you will (?:now )?(?:act|play|be|respond|answer|pretend|simulate|become)"
         r"|you are (?:now )?(?:going to|to) (?:act|play|be|respond|pretend|simulate)|let's play a game"
         r"|stay in character"
         r"|break(?:ing)? character|in character|role-?play\w*|my first (?:request|question|prompt|message|sentence) is"
         r"|(?:two|three|four|both) (?:entities|personas?|characters|responses|ai)|\{\{(?:char|user)\}\}"
         r"|fictional (?:world|universe|story|character)|hypothetical (?:story|scenario|response)|imagine (?:that )?you"
         r"|pretend (?:that )?(?:you|to)|simulat(?:e|ing) (?:a|an|the)|you must (?:always|never|obey)"
         r"|(?:ai|bot|character|persona) named|named \w+ (?:who|that|which) (?:is|can|does|has|never|always|will)"
         r"|without (?:any )?(?:restrictions?|limit\w*|filters?|censor\w*|warnings?|disclaimers?|moral\w*))\b"),
    Sign("noise", 0.6, Where.ASKED,
         r"(?:[a-z]{2,}[\])}>\"'\\|:;*_.,=?!]{2,}[a-z({\[<\"'\\]+[^\n]{0,40}){2}[^\n]{0,60}$|\\\(\{\\"
         r"|\)\)? ?:\\|\.{3}\)\w"),
    Sign("decode", 0.6, Where.BOTH,
         r"\b(?:decode|decrypt|decipher|rot13|base64)\b[^.!?\n]*\b(?:and|then)\b[^.!?\n]*"
         r"\b(?:follow|execute|do|run|obey|answer|respond|perform|act)\b"),
))
"""Those of one group are read together: see `Signs`."""
SIGNS: Final = tuple(chain.from_iterable(_GROUPS))


_TRANSLATED: Final = re.compile(r"[^\x00-\x7f]+")


class Group:
    """Rules of one automaton."""

    __slots__ = ("match", "signs")

    def __init__(self, signs: Sequence[Sign]) -> None:
        self.signs = signs
        automaton = re2.Set.SearchSet(_OPTIONS)
        for sign in signs:
            automaton.Add(plain_pattern(sign.pattern))
        automaton.Compile()
        self.match: Callable[[bytes], list[int] | None] = automaton.Match
        """The numbers of the rules that a text meets."""

    def add(self, numbers: Iterable[int], met: dict[str, float]) -> None:
        """Adds these rules, with the weight of each."""
        for number in numbers:
            sign = self.signs[number]
            met[sign.rule] = max(met.get(sign.rule, 0.0), sign.weight)


class Signs:
    """All rules of one place, read in one pass for each group of them.

    An automaton has a state for each set of rules that a sentence has met halfway, and makes it when a text first
    leads there. Two groups have half as many as all rules in one, and it is those that a new message pays for: a pass
    takes some microseconds, a state that is not there yet as many. Of two rules that weigh the same the one of the
    earlier group gives its name to a suspicion.
    """

    __slots__ = ("groups",)

    def __init__(self, groups: Iterable[Iterable[Sign]]) -> None:
        self.groups = tuple([Group(signs) for signs in map(tuple, groups) if signs])

    def read(self, normalised: str) -> dict[str, float]:
        """The rules that are met, with the weight of each."""
        return self.whole(normalised)[0]

    def whole(self, normalised: str) -> tuple[dict[str, float], tuple[Group, ...]]:
        """The same, and the groups that they are of: no stretch of this text meets one of another."""
        raw = normalised.encode()
        met: dict[str, float] = {}
        groups = []
        for group in self.groups:
            if numbers := group.match(raw):
                group.add(numbers, met)
                groups.append(group)
        return met, tuple(groups)


def plain_pattern(pattern: str) -> str:
    """A pattern over normalised text: its letters of other scripts are folded like the text, its syntax is not."""
    return _TRANSLATED.sub(lambda run: "".join(map(fold, run.group())), pattern)


_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 32 << 20     # bytes, of one automaton


@lru_cache(maxsize=2)
def signs(where: Where) -> Signs:
    return Signs([sign for sign in group if sign.where & where] for group in _GROUPS)
