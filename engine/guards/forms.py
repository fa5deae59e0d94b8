"""What a stock sentence looks like, whoever wrote it: the form of a deflection and of a refusal, by language.

Pure judgements over one sentence, or its beginning. A form is a set of *marks*: who speaks (the service, or "I"
about what I am allowed), what about (this question, such topics, the rest of the answer), why (laws, policies,
sensitive), and what instead (another topic, a new session). One mark is ordinary talk; two of different kinds
seldom are, nor is a whole sentence that only changes the subject or calls it unfit. Who cuts sentences and knows
where they stand is `engine.guards.sentences`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

import re2

GATE: Final = 35
WIDE_GATE: Final = 20
"""Characters, and ideographs, by which a sentence has shown whether it could be a stock one."""


def _any(*patterns: str) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _pattern(*patterns: str) -> re.Pattern[str]:
    return re.compile(_any(*patterns))


# --- marks of a deflection. Texts are lower-case, with straight apostrophes.

_ABOUT_EN: Final = (
    r"(?:this|that|such an?|such|these|those|your|the) (?:kinds? of |types? of |sorts? of |very |particular |specific "
    r"|current |present |sensitive |political )?(?:questions?|topics?|subjects?|matters?|themes?|requests?|quer(?:y"
    r"|ies)"
    r"|inquir(?:y|ies)|issues?|affairs|areas?|prompts?|materials?|discussions?|points?|contents?|one\b)"
)
_OUTPUT_EN: Final = (
    r"(?:(?:(?:this|the|my|your|that|any|no) )?(?:(?:rest|remainder|remaining part|remaining|next part|previous|prior"
    r"|above|current|generated|following|further|last|preceding|earlier|original|part|portion|continuation)"
    r" )*(?:of )?(?:this |the |my |that )?(?:answer|response|reply|output|generation|message|text|completion"
    r"|content|passage|material|section"
    r"|conversation|chat|session|explanation)s?|what (?:was|has been|i) (?:written|said|wrote)(?: above)?"
    r"|the (?:rest|remainder))"
)
_GONE_EN: Final = (
    r"(?:removed|withdrawn|withheld|taken (?:down|back)|recalled|retracted|hidden|deleted|stopped|halted|ended"
    r"|terminated"
    r"|suspended|blocked|discontinued|cleared|interrupted|cut short|filtered|redacted|suppressed|unavailable|erased"
    r"|(?:not|cannot|can't|can not|could not)(?: be| being)?"
    r" (?:displayed|shown|presented|continued|provided|given|produced|completed|generated"
    r"|released|delivered|supplied|answered|offered|issued|printed"
    r"|available(?:$|[^ ]| (?:here|under|due|at|right|now|because|for (?:display|this))))|found unsuitable|not meet"
    r"|unsuitable|not (?:suitable|fit|appropriate) for"
    r"|may (?:be|contain)|potentially|violat)"
)

_MARKS: Final[dict[str, str]] = {
    "role": _any(r"^作为.{0,12}(?:助手|模型|ai|人工智能)", r"^as an? (?:\w+ )?(?:ai|intelligent|language|assistant)"),
    "self": _any(
        r"\b(?:this|my|your|(?:the|what) (?:rest|remainder|remaining part|previous|above|generated|was written)"
        r"|(?:this )?part of the)"
        r"(?: of)?(?: this| the| my| your)? ?(?:answer|response|reply|output|text|message|request|question"
        r"|above)?\b (?:was|is|has|have|had"
        r"|cannot|can't|did|were)(?: been)?(?: \w+)? (?:" + _GONE_EN[3:] + "",
        r"(?:此|该|本|本次|刚才|以上|余下|剩余|后续|部分|生成|输出)(?:的|条|次|生成的)*(?:回复|回答|内容|输出|文字"
        r"|部分|文本|结果|对话).{0,16}"
        r"(?:收回|撤|停止|清除|删|移除|隐藏|屏蔽|终止|不再|无法|不予|未通过|过滤|风险)|(?:问题|提问"
        r"|请求).{0,4}已?被?(?:过滤|屏蔽|拦截)",
        r"(?:dieser teil|diese antwort|die ausgabe|der rest).{0,40}(?:entfernt|gestoppt|angehalten|ausgeblendet"
        r"|gelöscht)",
        r"(?:la suite|cette réponse|ce texte|la fin|le reste).{0,40}(?:retiré|supprimé|masqué|interrompu)",
        r"(?:el resto|esta respuesta|parte de la respuesta).{0,40}(?:retirad|eliminad|ocult)",
        r"(?:вывод|ответ|часть|этот).{0,20}(?:остановлен|удал|скрыт|прерван|недоступ|не предоставля)",
        r"(?:以降|この(?:回答|出力)|続き|文章|出力).{0,16}(?:取り消|表示され|停止|削除|撤回)",
    ),
    "offer": _any(
        r"\b(?:recipes?|cooking|travel|poems?|jokes?|music|food|movies|films|sports|weather|science|programming"
        r"|coding|technology|math"
        r"|translations?)\b.{0,40}(?:\bor\b|\band\b|,|instead|\?)", r"做菜|美食|电影|天气|旅行|旅游|编程|写代码"
        r"|做翻译|笑话|运动|料理|旅行",
        r"\bkochen|\breisen|\bcuisine|\bvoyage|\bcocina|\bviajes|рецепт|кулинар",
    ),
    "about": _any(
        _ABOUT_EN, r"\b(?:into|with|on|about|from|to|discuss|answer) (?:this|that|it|such things)(?:[^a-z ]|$| [^a-z])",
        r"(?:这|該|该|此|那|這|您的?|你的?|有关|有關|相关|相關)(?:个|個|类|類|些|种|種|方面的?|一)*"
        r"(?:提问|提問|问题|問題|话题|話題|内容|內容|题|題|请求|請求|事务|事務|事情?|事儿|議題|议题|方面|点|點)",
        r"dies(?:e[sr]?|em|en) (?:thema|frage|anfrage|anliegen|angelegenheit)|solche[nrs]? (?:themen|fragen)",
        r"(?:ce|cette|ces|votre|de tels?|de telles?) (?:th[eè]mes?|sujets?|questions?|demandes?|requ[eê]tes?)",
        r"(?:est[ae]s?|es[ae]s?|su|tal(?:es)?) (?:temas?|preguntas?|asuntos?|solicitud|consulta|cuesti[oó]n)",
        r"(?:эт[аоуие][а-я]*|ваш[а-я]*|так[а-я]+|данн[а-я]+) (?:тем|вопрос|запрос|материал)",
        r"(?:この|その|こうした|そのような|ご)(?:話題|質問|テーマ|件|内容|依頼|リクエスト)",
        r"(?:tämä|tähän|tästä|tällais[a-zäö]+|näihin|kysymykse[a-zäö]*) ?(?:aihe|kysymy|pyyn)",
    ),
    "unable": _any(
        r"\b(?:i|we)(?: am|'m| are|'re)? (?:really |simply |still |currently |just |also |afraid |quite |"
        r"sorry(?:,)? (?:but )?i )*(?:(?:can ?not|can't|could not|couldn't|am not able to|not able to"
        r"|unable to) (?:\\w+ ){0,2}?(?:answer|discuss|talk|comment|speak|respond|reply|go|get|continue|share|say"
        r"|help|give|provide|offer|display|show|express|engage|take part|produce|present|cover|address|handle"
        r"|assist|approach|touch|weigh)|not (?:in a position|allowed"
        r"|permitted|authori[sz]ed|free|going|at liberty|meant)|must (?:stop|decline|pass|skip|leave|end|refrain"
        r"|refuse)"
        r"|have to (?:stop|decline|pass|skip|leave|end|refrain)|will (?:not|skip|pass|leave|stop|refrain)|won't"
        r"|prefer not"
        r"|would rather|'d rather|would prefer|do not (?:possess|have|discuss|comment|talk|take|hold|deal|engage)"
        r"|don't (?:possess|have enough|discuss|comment|talk|take|hold|deal|engage|do)|have nothing to say|hold no"
        r"|keep silent"
        r"|stay silent|decline|abstain|refrain|haven't (?:learned|learnt)|have not (?:yet )?(?:learned|learnt)"
        r"|(?:'m |am )?still learning|learning how|have been (?:set up|asked|told|instructed|configured|designed) not"
        r"|(?:'m |am )?going to (?:leave|skip|pass|sit)|have no (?:opinion|position|view|comment|stance)"
        r"|hold (?:no )?views|(?:'d|had) better (?:leave|not|skip)"
        r"|(?:would|'d) sooner (?:not|leave|skip|avoid)|(?:'d|would) (?:like|want) to (?:leave|skip|avoid)"
        r"|(?:keep|stay|steer) (?:\w+ )?(?:out of|away from|clear of|off)|leave (?:that|this|it) (?:aside|alone|there"
        r"|be)"
        r"|(?:do not|don't|won't|will not) (?:go|get) (?:there|into)"
        r"|pass on (?:it|this|that)"
        r"|let me pass)",
        r"\b(?:assistant|model|system|service|bot|platform) (?:does not|doesn't|do not|will not) (?:deal|cover|handle"
        r"|answer|discuss"
        r"|process|comment|respond)",
        r"\b(?:assistant|model|system|service|bot|platform|rules|guidelines|policy|programming)"
        r" (?:is |am |are |do(?:es)? |has |have |had )*"
        r"(?:not able|unable|cannot|can't|not let|not allow|don't let|stopped|ended|halted|prevents?|forbids?"
        r"|prohibits?)",
        r"\bis(?:n't| not) (?:one|something|a (?:topic|subject)|open|available|discussed|commented|covered|dealt)",
        r"\b(?:are|is)(?: not|n't) (?:discussed|commented|answered|covered|handled|allowed|permitted|supported) ",
        r"\bno (?:reply|answer|response|comment|further|opinion|information)s? (?:can|is|will|may|are|on)",
        r"\b(?:outside|beyond|lies outside|out of) (?:of )?(?:the |my |our |this )?(?:current |range |present "
        r"|intended )*"
        r"(?:(?:scope|range|remit|area|domain)s?(?:$|[^ s]| \w{0,4}$| of \w{0,12}$| (?:for|here|at|right|and|so|as"
        r"|but|now|today|i|we"
        r"|that|to)\b| of (?:this|my|what|our) )|abilit|capabilit|capacity|competence|what i|reach|knowledge"
        r"|expertise)",
        r"\boff the table\b|\bfalls? outside\b|\bskip th(?:is|at)\b|\bnot (?:one )?i(?:'m| am) able\b"
        r"|\btoo sensitive(?:$|[^ ]| \w{0,5}$| to \w{0,9}$| (?:a|an) \w+| here| for (?:me|us|this|our|my|such"
        r"|the (?:chat|platform))"
        r"|(?: for (?:me|us))? to (?:be |go|discuss|talk|answer|comment|speak|share|cover|address|handle|debate|get"
        r"|touch))"
        r"|\bnot (?:comment|discuss|go into|get into|talk about|take part|continue)",
        r"不(?:就|对|對|针对|針對)[^，。！？]{1,14}(?:评价|評價|评论|評論|表态|表態|看法|意见|意見|立场|立場)",
        r"(?:我|咱们?|咱|这个|这事|这里|這裡|本平台|系统|系統|暂时?|暫時?|目前|本服务|小助手|助手|实在|真)(?:还|還|是|也|只|就|咱|我|咱们|实在|真"
        r"|暂时|目前)*"
        r"(?:不聊|不谈|不談|不好说|没有被允许|没被允许|得弃权|弃权|不持立场|没有观点|尚未|没有学|没学|不评论|不参与"
        r"|不展开|先跳过|没有可以)",
        r"没有?什么[可好]?说的?|无可奉告|無可奉告|先跳过|没有可以分享|一律不|不参与(?:此|这)|受限范围|请不要提问|已被过滤",
        r"(?:不便|不宜|不适合|不方便|不能|无法|不予|不作|不做|不再|暂停|暂不|不可以|不允许|不支持)(?:继续|在此|对此"
        r"|公开|进行"
        r"|做出|作出|给出|提供|予以|多|为您|展开|被)*(?:讨论|討論|回答|回复|回應|回应|解答|谈论|談論|多谈|多談|展开"
        r"|评论|評論|作答|展示"
        r"|显示|顯示|解读|说明|继续|聊|答复|谈|作讨论|生成|输出|说下去)",
        r"(?:超出|不在|不属于)(?:了)?(?:我|本)?的?(?:目前|当前|服务|能力|讨论|知识|回答|职责)*(?:的)?(?:范围|範圍"
        r"|能力|之内)",
        r"知识还不足|知識還不足|我就不聊|不聊了|得弃权|没有观点|不持立场|回答到此为止|到此为止|到此结束",
        r"nicht zu (?:meinen|unseren) (?:themen|aufgaben)",
        r"(?:äußere|spreche|rede|diskutiere|kommentiere|bewerte|sage|antworte|gebe|nehme|halte) (?:ich"
        r"|wir)\b.{0,30}(?:nicht"
        r"|nichts|keine|kein|heraus|raus|zurück)|(?:möchte|will|kann|darf) (?:ich|wir) (?:lieber )?nicht",
        r"(?:nicht|keine|kein)\b.{0,40}(?:zulässig|beantworten|äußern|sprechen|eingehen|erlaubt|möglich|gestattet"
        r"|auskunft"
        r"|behandel|stellung|antwort)",
        r"(?:ne (?:peux|puis|pouvons|fait|permet|suis|sommes)|n'(?:est|ai|y)|aucune (?:réponse|suite)|ne permet).{0,30}"
        r"(?:pas|autoris|donn|répond|aborder)",
        r"(?:préf[eè]re|voudrais|souhaite|aime mieux).{0,24}(?:ne pas|éviter|laisser|écarter)|de côté|m'abstiens",
        r"(?:prefiero|mejor) (?:no|dejar|evitar)|mejor no (?:hablo|hablar|opino|entro)|no (?:hablo|opino|comento"
        r"|entro)",
        r"no (?:puedo|podemos|me es posible|se permite|est[aá] permitid|tengo|corresponde|se (?:puede|trata|ofrece))",
        r"(?:недоступ|не (?:предоставля|могу|можем|обсужда|комментир|предоставля|разреш|дозволен|позволя|готов)"
        r"|нельзя)",
        r"(?:控えさせて|お答えできません|できかねます|対応できません|お話しできません|扱えません|お受けできません"
        r"|述べられません"
        r"|差し控え|許可されていません)",
        r"(?:en voi|en pysty|emme voi|en saa|ei ole sallittu|en osaa)",
    ),
    "cannot": _any(
        r"(?:我|这里|這裡|本平台|系统|系統|小助手|助手|实在)(?:还|還|是|也|只|就|实在|真|暂时|目前)*(?:无法|無法"
        r"|不能|不会|不會|没法"
        r"|沒法|不便|不方便|不予|不作|不做|不再|没有办法|不宜|不适合|不打算|不愿|难以|不具备)",
        r"\bi(?:'m| am)? (?:can ?not|can't|unable|not able)\b",
    ),
    "gone": _any(
        _OUTPUT_EN + r"\b.{0,48}\b" + _GONE_EN,
        _GONE_EN.replace("|may (?:be|contain)|potentially|violat", "") + r".{0,12}\b(?:content|output|response|text"
        r"|answer)\b",
        r"\b(?:compliance|safety|security|content|review|policy) (?:check|filter|review|system|audit"
        r"|scan)\w* (?:has |have )?"
        r"(?:ended|stopped|blocked|removed|halted|interrupted)",
        r"\b(?:generation|output|response|answer|reply) (?:was |has been |is )?(?:ended|stopped|halted|removed"
        r"|withheld|blocked)",
        r"(?:内容|內容|文字|回答|输出|輸出|回复|回覆|部分|结果|結果|生成|对话|對話|文本|信息|答案).{0,24}"
        r"(?:隐藏|隱藏|清除|删除|刪除|撤回|停止|移除|屏蔽|中止|终止|終止|结束|不予显示|不予展示|不宜展示|不宜公开"
        r"|不再提供|收回|撤下|无法显示|无法展示"
        r"|未通过|不合规|不合規|存在风险|不显示|取消|拦截)",
        r"\b(?:blocked|removed|withheld|stopped|hidden|retracted|halted|suppressed) (?:this|the|my) (?:reply|answer"
        r"|response|output"
        r"|message)\b",
        r"(?:触发|觸發)(?:了)?(?:安全|内容|合规|风控)",
        r"(?:ausgabe|antwort|text|inhalt|teil).{0,40}(?:gestoppt|angehalten|entfernt|ausgeblendet|gelöscht"
        r"|zurückgezogen"
        r"|abgebrochen|beendet)|(?:gestoppt|angehalten|entfernt|abgebrochen).{0,20}(?:ausgabe|antwort)",
        r"(?:réponse|texte|suite|sortie|contenu|génération).{0,40}(?:retiré|supprimé|masqué|interromp|arrêt|effac)"
        r"|(?:interrompu|arrêté|supprimé|retiré) (?:le |la |ce )?(?:texte|réponse|sortie|suite)",
        r"(?:respuesta|texto|contenido|salida).{0,40}(?:retirad|eliminad|detenid|ocult|suprimid|interrumpid|bloquead)",
        r"(?:вывод|ответ|текст|часть|содержани).{0,40}(?:остановлен|удал|скрыт|прерван|отозван|снят|прекращ)",
        r"(?:出力|以降|回答|文章|内容|続き|生成).{0,20}(?:表示され|停止|取り消|削除|非表示|中断|打ち切|撤回)",
        r"(?:vastau|teksti|sisäl|tulost).{0,40}(?:poistettu|keskeyt|pysäyt|piilotettu)",
    ),
    "why": _any(
        r"\b(?:relevant|applicable|local|platform|content|community|safety|security|current|existing|internal"
        r"|company|service)"
        r"(?: (?:relevant|applicable|local|and|laws?|content|safety))* (?:laws?|regulations?|polic(?:y|ies)|rules?"
        r"|standards?"
        r"|guidelines?|restrictions?|requirements?)\b",
        r"\bcompliance\b|\bsensitive\b|\bnon-compliant\b|\binappropriate content\b|\brestricted\b|\bas an (?:ai"
        r"|intelligent)\b"
        r"|\bonly an? (?:helper|assistant|ai|language model|bot)\b|\bcontent (?:policy|standards|safety|security)\b",
        r"法律法规|法律法規|法规|法規|有关规定|相关规定|相關規定|政策|合规|合規|安全策略|敏感|内容安全|平台规则"
        r"|社区规范|清朗"
        r"|交流氛围|不合规|系统提示|系統提示|官方发布|官方發布|不适合|作为(?:一个|一名|您的|个)?(?:AI|ai|人工智能"
        r"|智能|语言模型|助手)",
        r"vorschriften|richtlinien|sicherheitsgr|gesetz|regeln|réglementation|la loi\b|politique de|règles"
        r"|normativa|normas"
        r"|la ley\b|políticas|правил|законодательств|закон|規約|法令|安全上の理由|ポリシー|確認により|規則"
        r"|lainsäädän|säännö|käytän",
    ),
    "else": _any(
        r"\b(?:let'?s|let us|shall we|we could|could we|why don't we|how about we|i would rather we|i'd rather we"
        r"|can we|perhaps we (?:could|can)|maybe we (?:could|can)|time) .{0,24}(?:talk|chat|chang|switch|turn"
        r"|discuss|move|speak"
        r"|keep|change|pick|steer)\w*\b|\bshall we (?:have a )?look at\b",
        r"\b(?:re)?word (?:it|that|this|your|the)\b|\bi(?:'d| would|'ll| will) (?:gladly|happily|be (?:glad|happy"
        r"|delighted"
        r"|pleased) to) (?:take|chat|talk|tell|answer|help|discuss)\b",
        r"\b(?:another|different|other|new|fresh|some other|any other|lighter|more cheerful) (?:\w+ )?(?:topics?"
        r"|subjects?"
        r"|questions?|matters?|themes?|directions?|session|conversation|chat|request)",
        r"\b(?:something|anything) (?:else|different|more cheerful|lighter)\b|\bask me (?:about|for)\b|\btry asking\b"
        r"|\b(?:re)?phrase\b|\bwhat else\b|\bchange of (?:topic|subject)\b|\bglad to help with (?:coding|translation)",
        r"可以(?:问|跟|和)我|来聊|聊一聊|换个?(?:一个)?(?:话题|問題|问题|说法|說法|角度|轻松|方向)|換個(?:話題|問題|說法)|聊聊|聊点|聊點|聊些"
        r"|其他(?:方面|话题|問題|问题)"
        r"|其它(?:的)?(?:问题|话题)|别的(?:问题|话题|能为您)|別的|新会话|新對話|新的(?:问题|话题|会话)|另起"
        r"|说说.{0,12}吧"
        r"|讲个笑话|講個笑話|重新提问|调整后再|換一個",
        r"(?:reden|sprechen|plaudern|unterhalten) wir (?:uns )?(?:lieber|besser|doch)|fragen sie mich (?:gern|lieber)"
        r"|wechseln (?:wir|sie)"
        r"|andere[nrs]? (?:thema|frage|themen)|etwas ander(?:es|em)|neue frage|parlons|et si (?:nous|on) parl"
        r"|(?:le|te) apetece (?:charlar|hablar)|qué tal si hablamos"
        r"|autre (?:chose|sujet"
        r"|demande|question)|changeons|changer de sujet|cambi(?:emos|ar|amos) de tema|hablemos|otr[ao] (?:cosa|tema"
        r"|pregunta)"
        r"|друг(?:ую|ой|ая|ом|ие|их) (?:тем|вопрос)|о чём-нибудь другом|сменим тему|поговорим|ほかのこと"
        r"|別の(?:話題|質問|こと)"
        r"|他の(?:話題|質問|こと)|話題を変え|toinen aihe|jotain muuta|muusta|vaihdetaan",
    ),
    "thanks": _any(
        r"thank you for your understanding|hope for your understanding|we appreciate your understanding"
        r"|appreciate your "
        r"understanding", r"敬请谅解|敬請諒解|感谢您的理解|请谅解|望谅解|请您?理解|请見諒"
        r"|请见谅", r"vielen dank für (?:ihr|dein) verständnis"
        r"|merci de votre compréhension|gracias por su comprensión|спасибо за понимание|ご理解ください|ご了承"
        r"|kiitos ymmärr",
    ),
}
_SERVICE: Final = _any(
    r"^(?:notice ?[:：]|warning ?[:：]|system (?:notice|message|alert)|content security|safety notice"
    r"|response removed|answer removed|content removed"
    r"|removed|系统提示|系統提示|内容安全|提示|hinweis|avertissement|aviso)",
)
_HELPS: Final = _any(
    r"\bhere(?:'s| is| are)\b|\bbut (?:i can|you can|here|for|we can|the|in general|generally|if)\b|\bhowever\b|:$"
    r"|:\s|[^\s:：]{6}：",
    r"\b(?:in|by) (?:the|our|these|your) (?:\w+ )?(?:handbook|manual|wiki|passages?|documents?|documentation|guide)\b",
    r"不过您?可以|但是?您?可以|但可以|以下是|下面是", r"\baber (?:hier|so|ich)\b|\bmais (?:voici|je)\b|\bpero\b",
)
_FIGURES: Final = (r"\d{2,}|`|https?:|\||\$|%|\bjira\b|@")
_NOUN: Final = (
    r"第[一二三四五六七八九十\d]+[版章节页条]|"
    r"\b(?:subject|topic|question|request|content|response|message|answer|text|conversation) (?:lines?|fields?"
    r"|box(?:es)?"
    r"|headers?|numbers?|forms?|lists?|pages?|marks?|ids?|codes?|times?|rates?|owners?|templates?|types?|tables?|columns?"
    r"|names?|titles?|areas?|bodies|body|files?|boards?|banks?|keys?|history|tags?)\b"
)
"""Such a word as a part of another's name: the subject line of a mail, the text field of a form."""
_OTHERS: Final = (
    r"\b(?:he|she|they|customer|user|client|who|people|candidate|parliament|government|party|court|committee|author"
    r"|company)\b"
)


# --- whole sentences that need no second mark: they close what was asked, and say nothing else

_TOPIC_EN: Final = r"(?:topic|subject|theme|conversation)"
_OTHER_EN: Final = (
    r"(?:something (?:else|different|lighter|nicer|safer|more \w+)|(?:other|different|lighter|happier) (?:things|topics"
    r"|subjects|themes|matters)|(?:another|some other|a (?:new|fresh|different|lighter|safer|happier|nicer|more \w+"
    r"|less \w+))(?:,? \w+){0,2} (?:topic|subject|theme|matter))"
)
_PLEASE_ZH: Final = (
    r"(?:那么?|要不然?|不如|还是|還是|所以|请您?|請您?|麻烦您?|麻煩您?|建议您?|建議您?"
    r"|我们|我們|咱们?|咱們|让|讓|我想|最好|可以|现在|現在|就|先|也许|也許|或许|或許|来|來|，)*"
)
_AGAIN_ZH: Final = (
    r"(?:再|来|來|继续|繼續|聊一聊|聊聊?|谈一谈|谈谈?|談談?|试试看?|試試看?|说说|說說|讨论|討論|交流"
    r"|提问|提問|好了|吧|呢|哦|喔|啦|了)*[。！!～~…]*$"
)
_TURNS: Final = _any(
    r"^(?:(?:so|then|please|kindly|perhaps|maybe|better|well|okay|ok)[, ]+)*"
    r"(?:(?:let's|let us|we(?:'d| had)? better|we should|(?:i'd|i would) (?:rather (?:we )?|prefer to |like to "
    r"|suggest (?:that )?we )|(?:i )?suggest(?:ing)? (?:that )?we|(?:it(?:'s| is) )?(?:high )?time to"
    r"|it(?:'s| is|'d be| would be) (?:best|better) to)"
    r" ?(?:(?:better|just|please|rather|both|all|quickly|simply) )*"
    r"(?:(?:change|switch|drop|swap) (?:the |this |our |to )?(?:current |whole )?" + _TOPIC_EN + r"s?"
    r"|(?:talk|chat|speak) (?:\w+ )?(?:about|of|on) " + _OTHER_EN + r"|(?:change|switch|steer) (?:\w+ ){0,3}to "
    + _OTHER_EN + r")"
    r"|(?:it(?:'s| is) )?(?:high )?time for (?:a (?:\w+ )?change of " + _TOPIC_EN + r"|" + _OTHER_EN + r")"
    r"|(?:please|kindly) (?:change (?:the|your) (?:topic|subject|theme|question)|(?:pick|choose|select|raise|bring up"
    r"|try|ask(?: me)?(?: about)?|talk(?: to me)? about|chat(?: with me)? about) (?:" + _OTHER_EN
    + r"|a different question)))"
    r"(?:,? (?:now|instead|please|then|together|here|okay|ok|for (?:a change|now|the moment)|and (?:chat|talk|start)"
    r"(?: again| anew| afresh)?|if you (?:don't mind|like|please)))*[ .!…~]*$",
    r"^" + _PLEASE_ZH + r"(?:换|換|更换|更換|转换|轉換|切换|切換)(?:一?[个個下种種])?(?:轻松|輕鬆|愉快|开心|開心|友善"
    r"|友好|合适|合適|安全|别|別|其他|其它|新|有趣|些|点|點|一点|一點|的|更)*"
    r"(?:话题|話題|主题|主題|题目|題目|议题|議題|问题|問題)" + _AGAIN_ZH,
    r"^" + _PLEASE_ZH + r"(?:聊|说|說|谈|談){1,2}(?:点|點|些|一些|一点|一點)?(?:儿)?(?:轻松|輕鬆|愉快|开心|開心|别|別"
    r"|其他|其它)(?:一点|一點|些|点|點)?的?(?:话题|話題|主题|主題|事情?|东西|東西|内容|內容)?" + _AGAIN_ZH,
)
"""It tells the person to change the subject, and names none: "now for the budget" is an agenda."""
_ASKED_EN: Final = (
    r"(?:this|that|such an?|such|these|those|your) (?:(?:kind|type|sort)s? of |very |particular |specific )?"
    r"(?:questions?|topics?|subjects?|themes?|matters?|requests?|quer(?:y|ies)|inquir(?:y|ies))"
)
_IS_EN: Final = r" (?:is|are|seems?(?: to be)?|looks|sounds|would be|happens to be|may be|might be) "
_TOUCHY_EN: Final = (
    r"(?:(?:much|far|a bit|a little|rather|just|simply|perhaps|somewhat|really|way|quite) )*"
    r"too (?:\w+ and )?(?:sensitive|delicate|touchy|controversial|thorny)"
)
_HERE_EN: Final = (
    r"(?: (?:for|on|in|within) (?:this|our|the|my|such an?) (?:\w+ )?(?:platform|service|chat|assistant|conversation"
    r"|system|app|website|space|community)| here)"
)
_TELL_EN: Final = (
    r"(?:(?: for me| for us)? to (?:be )?(?:discuss(?:ed)?|talk(?:ed)? about|go into|answer(?:ed)?|comment on)"
    r"(?: here| now)?| for me)"
)
_ASKED_ZH: Final = (
    r"(?:这|這|该|該|此|那|您的?|你的?|[您你]所?[问問谈談提](?:到|及)?的)(?:一?[个個类類些种種])?"
    r"(?:提问|提問|问题|問題|话题|話題|主题|主題|题目|題目|议题|議題)"
)
_TOUCHY_ZH: Final = (
    r"(?:太|过于|過於|过|過|比较|比較|十分|非常|较为|較為|很|相当|相當|有点|有點|有些)(?:敏感|微妙|棘手)(?:了|啦|哦|喔)?"
)
_HERE_ZH: Final = (
    r"(?:(?:在|于|於)?(?:这里|這裡|這裏|这儿|此处|此處|此|(?:本|这个|這個|该|該|我们的?|我們的?)"
    r"(?:平台|服务|服務|系统|系統|社区|社群|空间|空間|助手))[上里裡中內内]?)"
)
_NOT_ZH: Final = (
    r"(?:[并並也就]|恐怕|可能|实在|實在|所以|因此)*"
    r"不(?:太|大|是很)?(?:适合|適合|适宜|適宜|宜|便|方便|应该?|應該?)"
)
_TELL_ZH: Final = (
    r"(?:公开|公開|深入|继续|繼續)?(?:讨论|討論|谈论?|談論?|多谈|多談|聊|回答|回應|回应|展开|展開|出现|出現)"
)
_UNFIT: Final = _any(
    r"^(?:" + _ASKED_EN + _IS_EN + _TOUCHY_EN + r"(?:" + _HERE_EN + r"|" + _TELL_EN + r")?"
    r"|(?:this|that|it)" + _IS_EN + _TOUCHY_EN + r"(?: an? (?:\w+ )?" + _TOPIC_EN + r"(?:" + _HERE_EN + r"|" + _TELL_EN
    + r")?|" + _HERE_EN + r")"
    r"|" + _ASKED_EN + _IS_EN
    + r"(?:(?:really|simply|just|quite|entirely|perhaps) )*(?:(?:not|never)(?: \w+)? (?:suitable"
    r"|appropriate|fit|fitting|proper|suited|acceptable|welcome)|unsuitable|inappropriate|unfit|unwelcome)" + _HERE_EN
    + r")[ .!…~]*$",
    r"^" + _ASKED_ZH + r"(?:对我们?来说|對我們?來說|，|可能|恐怕|实在|實在|确实|確實)*(?:" + _TOUCHY_ZH
    + r"(?:，?" + _HERE_ZH + r"?" + _NOT_ZH + _HERE_ZH + r"?" + _TELL_ZH + r"?)?"
    r"|" + _HERE_ZH + _NOT_ZH + _TELL_ZH + r"|" + _NOT_ZH + r"(?:" + _HERE_ZH + _TELL_ZH + r"?|" + _TELL_ZH
    + r"))(?:了|啦|哦|喔|呢)?[。！!～~…]*$",
)
"""It says of the question that it is too much for this place, and no more."""
_TURNING: Final = (
    r"^(?:please |kindly |so |then |better )*(?:let's|let us|we'd better|i'd rather|i would rather"
    r"|(?:it(?:'s| is) )?(?:high )?time (?:for|to)|it(?:'s| is) (?:best|better|time)"
    r"|(?:please|kindly) (?:change|pick|choose|select|raise|bring|try|ask|talk|chat))\b"
    r"|^" + _PLEASE_ZH + r"(?:换|換|更换|更換|转换|轉換|切换|切換|聊|谈|談|说|說)"
)
_UNFITTING: Final = (
    r"^(?:" + _ASKED_EN + r"|this|that|it)" + _IS_EN + r"(?:\w+ ){0,3}?too (?:\w+ and )?(?:\w*$|sensitive|delicate"
    r"|touchy|controversial|thorny)|^" + _ASKED_EN + r"(?:$|" + _IS_EN + r"(?:\w+ ){0,3}?(?:$|not|never|in|un|too))"
)
"""How the beginnings of these go."""


_SMALL: Final = _pattern(
    r"^(?:(?:i am|i'm|we are|we're) (?:so |very |really |truly )?(?:sorry|afraid)|sorry|(?:my "
    r"|our )?(?:sincere )?apologies|apologies"
    r"|i (?:do )?apologi[sz]e|unfortunately|regrettably|excuse me|pardon(?: me)?"
    r"|thanks for (?:asking|your question)|thank you for (?:asking|your question)|i regret(?: to say)?(?: that)?"
    r"|to be honest|frankly|honestly|at the moment|for now)(?: that |[\s,.!:;…-]*(?:but )?)",
    r"^(?:实在是?|實在是?|非常|十分|真是?的?很?|很|深感|万分|萬分)?(?:抱歉|遗憾|遺憾|对不起|對不起|不好意思|对不住啦?"
    r"|感谢提问|感谢您的提问|坦率地说|老实说|谢谢提问)[\s，,。.！!：:…～~]*(?:不过|但是?)?",
    r"^(?:es tut mir leid|entschuldigung|leider|tut mir leid|bedaure|verzeihung|désolée?|pardon|malheureusement"
    r"|je suis désolée?"
    r"|je regrette|lo siento|lamentablemente|perdón|disculpe|lamento|извините|к сожалению|простите"
    r"|申し訳ありませんが?|残念ながら"
    r"|すみませんが?|恐れ入りますが|valitettavasti|pahoittelen|anteeksi|olen pahoillani)[\s,.!:;、。]*(?:aber "
    r"|mais |pero |но |mutta )?",
)


_SMALL_BEGIN: Final = frozenset(
    "sowiuartepmhfnadbdjglv实實非十真很深万萬抱遗遺对對不感坦老谢申残す恐извкпаe哎嗯唔唉呃诶哦喔噢您你尊亲"
)
"""What their first words begin with."""
_GREETING: Final = _pattern(
    r"^(?:oh dear|oops|uh-oh|ah|u?hm+|oh|ahem|er+m?|um+|uh|whoa|hello|hi|dear user)\b[\s,.!:;…-]*",
    r"^(?:哎呀?|唉呀?|嗯+|唔|呃|诶|哦|喔|噢|您好|你好"
    r"|尊敬的用户|亲)[\s，,。.！!：:…～~]*",
)


_MARKED: Final = frozenset(",.!…:;，。！：～~")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=16)
def plain(text: str) -> str:
    """As marks are compared: lower-case, straight apostrophes, no emphasis, single blanks."""
    if not text.isascii():
        text = _LONE_SURROGATE.sub("\ufffd", text)
    return " ".join(text.replace("’", "'").replace("*", "").replace("\u200b", "").lower().split())


class Form(NamedTuple):
    """The marks of one sentence."""

    marks: frozenset[str]
    sorry: bool                 # it opens with an apology or another small word
    greets: bool                # or with an interjection, and a mark behind it
    helps: bool                 # it goes on to help
    size: int

    @property
    def kinds(self) -> int:
        """How many kinds of marks there are."""
        marks = (self.marks & _KINDS) - {"cannot"}
        return len(marks) + ("cannot" in self.marks and "unable" not in marks) + self.sorry

    @property
    def whole(self) -> bool:
        """Whether all that it says is that the subject be changed, or that this one does not belong here."""
        return bool(self.marks & _WHOLE)

    @property
    def points(self) -> bool:
        """Whether it says what is turned away or why, and that it is: "sorry, I cannot" alone is a refusal, or honest,
        and "this is sensitive" a warning."""
        return bool(self.marks & _POINTED and self.marks & _FINAL)

    @property
    def begins_unfit(self) -> bool:
        """Whether it only began like such a sentence, and then said something else of the matter."""
        return "unfitting" in self.marks and not self.marks & (_WHOLE | _BESIDES)

    @property
    def deflects(self) -> float:
        """How much this is the form of a stock deflection, 0 to 1; .6 and more is a whole one."""
        return _deflects(self)


_LONG: Final = 160
_NAMES: Final = (*_MARKS, "service", "figures", "noun", "others", "helps", "turns", "unfit", "turning", "unfitting")


def _set() -> re2.Set:
    options = re2.Options()
    options.max_mem = 32 << 20      # bytes: with less, its automaton is begun anew within most sentences
    found = re2.Set.SearchSet(options)
    for pattern in (
        *_MARKS.values(), _SERVICE, _FIGURES, _NOUN, _OTHERS, _HELPS, _TURNS, _UNFIT, _TURNING, _UNFITTING,
    ):
        found.Add(pattern)
    found.Compile()
    return found


_ALL: Final = _set()
"""All marks at once; the number of a pattern is that of its name."""


def _exclaims(small: re.Match[str]) -> bool:
    return small.re is _GREETING and small.group().rstrip()[-1:] in _MARKED


def form(sentence: str) -> Form:
    """Reads the marks of a sentence, or of its beginning."""
    text = plain(sentence).strip("[]()（）【】 -•\"“”「」")
    rest = text
    sorry = greets = False
    while rest[:1] in _SMALL_BEGIN and (small := _SMALL.match(rest) or _GREETING.match(rest)):
        sorry, greets, rest = sorry or small.re is _SMALL, greets or _exclaims(small), rest[small.end():]
    marks = {_NAMES[number] for number in _ALL.Match(rest) or ()}
    return Form(frozenset(marks), sorry, greets, "helps" in marks, len(rest))


_FIRM: Final = frozenset(("unable", "gone", "else", "thanks", "service", "self", "role"))
_WEIGHTS: Final = {"about": 25, "unable": 30, "cannot": 10, "gone": 35, "why": 20, "else": 30, "thanks": 35,
    "service": 25, "self": 20, "role": 10, "offer": 20, "figures": -30, "noun": -40, "others": -20, "helps": -40}
"""In hundredths: whole numbers add up to the same in any order, and a set has none."""
_KINDS: Final = frozenset(mark for mark, weight in _WEIGHTS.items() if weight > 0)
_POINTED: Final = frozenset(("about", "gone", "else", "thanks", "service", "self", "why", "role", "offer"))
_FINAL: Final = _FIRM | {"cannot"}
_WHOLE: Final = frozenset(("turns", "unfit"))
_TURNED: Final = frozenset(("else", "unable"))
_BESIDES: Final = frozenset(("unable", "gone", "else", "thanks", "service"))


def _deflects(form: Form) -> float:
    score = sum(_WEIGHTS.get(mark, 0) for mark in form.marks) + 15 * form.sorry - 20 * (form.size > _LONG)
    return min(max(score, 0), 100) / 100


_REASON: Final = re.compile(
    r"(?:in (?:accordance|line|compliance|keeping)|due|for|according|per|under|to comply|by law|根据|按照|依照|依据"
    r"|因(?:政策|法|合规|平台|敏感)|为了?(?:维护|营造|遵守|保护)|本平台|作为.{0,12}(?:助手|模型)"
    r"|gemäß|aufgrund|aus|conform|en vertu|por|в соотв|関連|安全上)"
)
"""What a sentence begins with that gives its reason first."""
_BY_LAW: Final = re.compile(
    r"in (?:accordance|compliance) with|according to (?:the )?(?:relevant|applicable|local)|根据(?:相关|有关)"
    r"|按照(?:相关|有关|当地)"
    r"|依照|conformément|в соответствии"
)


def may_deflect(beginning: str, *, seam: bool) -> bool:
    """Whether a sentence that begins like this may turn out to be a stock one; ``seam``: it begins mid-sentence."""
    begun = form(beginning)
    if not (begun.marks or begun.sorry or begun.greets or begun.size < 2):      # nearly always
        return not seam and _BY_LAW.match(plain(beginning)) is not None
    if begun.whole or "unfitting" in begun.marks or ("turning" in begun.marks and begun.marks & _TURNED):
        return True
    if seam:
        return begun.sorry or begun.greets or begun.kinds > 1 or begun.size < 2 or "service" in begun.marks
    if begun.sorry or begun.size < 2 or begun.marks & _FIRM or {"about", "cannot"} <= begun.marks:
        return True
    text = plain(beginning)
    return _BY_LAW.match(text) is not None or ("why" in begun.marks and _REASON.match(text) is not None)


# --- refusals: what is said first, when a request is turned down

_DO_EN: Final = (
    r"(?:help|assist|provid|fulfil|comply|answer|creat|writ|generat|support|offer|give|discuss|engag|participat|respond"
    r"|continu|produc|promot|condon|endors|encourag|share|suggest|recommend|tell|teach|explain|do that|do this|satisf"
    r"|fabricat|make|draft|compos|complete|proceed|justif|facilitat|advis|speculat|confirm|agree|address|accommodat"
    r"|walk|put together|do (?:that|this|so)|lend|touch|take part|go into|go along|talk|instruct|guid"
    r"|in good conscience|legally|ethically|be part|pretend|role|design|develop"
    r"|describ|comment|present|advocat|argu|defend|rewrit|translat|process|carry out|grant|meet|perform|reveal"
    r"|disclose)"
)
_REFUSES: Final = re2.compile(_any(
    r"\b(?:i|we)(?:'m| am|'re| are)? (?:really |simply |still |also |just |therefore |must |do |truly |deeply "
    r"|honestly |afraid "
    r"(?:that )?i |sorry(?:,)? (?:but )?i )*(?:can ?not|can't|could not|couldn't|will not|won't|would not|wouldn't"
    r"|do not|don't|am not able to"
    r"|not able to|unable to|not (?:going|willing|comfortable|allowed|permitted|designed|programmed|prepared"
    r"|authori[sz]ed"
    r"|capable)(?: to| of| with)?|decline to|refuse to|have to decline|must (?:decline|refuse)|am programmed not to) "
    r"(?:\w+ ){0,3}?" + _DO_EN,
    r"\bi(?:'d| would) (?:rather|prefer|sooner) (?:not|to not)\b|\b(?:i(?:'ll| will)|i must|i have to) (?:pass on"
    r"|sit this|turn (?:this|that)"
    r"|say no)|\b(?:principles|guidelines|values|policies|programming|rules) (?:do not|don't|will not"
    r"|won't) (?:permit|allow|let) me",
    r"\bnot (?:something|content|anything|an? \w+) (?:that )?i(?:'m| am| will| would|'d"
    r"| can)? (?:\w+ ){0,2}(?:willing|able|going"
    r"|comfortable|prepared|do|write|produce|help)\b|\bi(?:'m| am) (?:declining|refusing|turning (?:this|that) down)\b",
    r"我[^，。！？]{0,3}(?:帮不了|写不了|办不到|答不了)|[^，。！？]{2,12}我帮不了",
    r"\bi (?:must|have to|need to|will have to|respectfully|politely)? ?(?:decline|refuse)\b",
    r"^(?:i'm |i am )?sorry,?(?: but)? (?:i|we|that|this|it)\b.{0,40}\b(?:can't|cannot|can not|unable|won't"
    r"|not able|not (?:something|appropriate))",
    r"\b(?:it (?:is|would be)|it's|that is|that's|this is) (?:not|never|neither|highly|deeply|morally|illegal"
    r"|unethical|in)"
    r".{0,24}(?:appropriate|ethical|acceptable|inappropriate|unethical|illegal|okay|moral|possible for me|within my"
    r"|legal|right)"
    r".{0,30}\b(?:to|for)\b",
    r"\bi(?: do not| don't) (?:create|write|condone|promote|endorse|support|engage|generate|produce"
    r"|feel comfortable|have (?:the "
    r"ability|personal|an? opinion))", r"\b(?:against|outside|beyond|violat\w+"
    r"|within) my (?:\w+ ){0,3}(?:programming|guidelines|polic"
    r"|ethic|principles|values|capabilit|scope)", r"\bas an? (?:\w+ ){0,4}?(?:ai|assistant|language model"
    r"|llm)\b.{0,60}\b(?:cannot"
    r"|can't|can not|not able|unable|must not|don't|do not|not programmed|won't)",
    r"\bi (?:strongly |cannot |would )?(?:advise|urge) against\b", r"\bi cannot and will not\b|\bi can't and won't\b",
    r"^(?:no[.,!]|never[.,!])",
    # Chinese
    r"(?:我|作为.{0,16}|本(?:助手|AI|ai).{0,3}|这里|我们)(?:也|是|绝对|实在|恐怕|目前|必须|只能|并|很|不得不"
    r"|坚决)*(?:不能|无法|不会|不可以|没法|不应|不便"
    r"|拒绝|不愿|不支持|不建议|不鼓励|不提供|没有办法|不得)(?:够|直接|为您|为你|向您|对此|帮您|帮你|在此|继续|给您"
    r"|给你|给予|按照|以|对|就)*"
    r"(?:提供|回答|回应|帮|协助|支持|满足|参与|讨论|完成|生成|给出|执行|编写|撰写|写|推荐|接受|遵|鼓励|同意|做|进行"
    r"|评|发表|透露|告诉|解释"
    r"|处理|继续|创作|教|指导|分享|涉及|实现|赞同|认同|给|答|谈)",
    r"(?:很抱歉|非常抱歉|抱歉|对不起|不好意思).{0,24}(?:不能|无法|不会|不可以|拒绝|不便|没法|不支持|不应|不适合)"
    r".{0,8}(?:提供|回答|回应|帮|协助|支持|满足|讨论|完成|生成|给出|执行|写|推荐|接受|鼓励|做|进行|评|发表|透露"
    r"|告诉|解释|处理|继续|创作|教|指导|分享|涉及|谈|您|你)",
    r"(?:您|你)的(?:请求|问题|要求|想法|行为|提问|言论).{0,16}(?:违法|非法|违反|不道德|不当|不合适|不恰当|涉及|不符合)",
    r"(?:这|该)(?:是|种|个|类)?.{0,16}(?:违法|非法|违反|不道德|不恰当|不合适|不被允许|不可接受)",
    # others
    r"\b(?:dabei|damit|dazu|hierbei|so etwas|das|\w+) (?:helfe|unterstütze|schreibe|erstelle|mache|verfasse"
    r"|produziere|liefere) ich .{0,24}nicht",
    r"\bich (?:helfe|schreibe|unterstütze|erstelle|verfasse|lehne|weigere)\b.{0,40}\b(?:nicht|ab|mich)\b",
    r"\b(?:ich|wir) (?:kann|können|darf|werde|möchte) .{0,50}\bnicht\b", r"\b(?:kann|darf|werde"
    r"|möchte) ich .{0,30}nicht|\b(?:das|dabei|hierbei) (?:kann"
    r"|darf) ich .{0,20}nicht",
    r"\bje (?:ne )?(?:peux|suis|veux|souhaite) pas|\bje ne (?:peux|suis|souhaite|fournis)|je refuse",
    r"\b(?:no (?:puedo|es posible|debo|voy a)|me niego)", r"(?:^|[ ,])не (?:могу|буду|стану|вправе)|отказываюсь",
    r"(?:できません|できかねます|お断り|お答えできない|お手伝いできない|いたしかねます)", r"\b(?:en|emme) (?:voi"
    r"|pysty|halua|suostu|aio)\b",
    r"\bnão (?:posso|é possível)|\bnon (?:posso|sono in grado)|도와드릴 수 없|할 수 없습니다|제공할 수 없",
))
_HARM: Final = re2.compile(_any(
    r"\b(?:illegal|unethical|harm|dangerous|inappropriate|guidelines|ethic|polic|programming|promot|violen"
    r"|discriminat|hate"
    r"|abus|offensive|privacy|consent|request|misinformation|respect|unsafe|criminal|against the law|responsib"
    r"|just an ai"
    r"|as an ai|malicious|sensitive|political|values|explicit|condone|exploit|crime|fraud|weapon|drug|suicid|stereotyp"
    r"|derogat|not appropriate|human rights|racis)",
    r"违法|非法|违反|道德|法律|伦理|有害|不当|隐私|危险|安全|歧视|暴力|犯罪|助手|(?:^|[^a-z])ai(?:$|[^a-z])|人工智能|原则|规定|政策|请求"
    r"|敏感|尊重",
    r"illegal|gesetz|ethi|anfrage|illégal|éthi|demande|ilegal|étic|solicitud|незакон|этич|запрос|違法|倫理"
    r"|リクエスト|laiton|eetti|pyyn",
))
_SOME_BUSINESS: Final = re2.compile(r"(?:we|our|they|it|you|he|she|the)\b")
"""It is not the assistant that cannot: a company does not ship, a shop is closed."""
_PRIVACY: Final = re2.compile(
    r"\b(?:personal|private|confidential) (?:information|data|details|records?|life)\b|个人(?:信息|資料|资料)"
)
"""Whose, the next sentence tells: somebody's, or nobody's."""
_UNREAL: Final = re2.compile(_any(
    r"\b(?:fictional|fictitious|imaginary|mythical|mythological|made[- ]up|a cartoon|not (?:a )?real|not an actual"
    r"|an? (?:\w+ ){0,3}character (?:from|in|of|created)|(?:does|do|did) not (?:actually |really )?exist|(?:doesn't"
    r"|don't"
    r"|didn't|never) (?:actually |really )?exist(?:ed)?|no such (?:person|place|thing|record))\b",
    r"虚构|並不存在|并不存在|不是真实|神话(?:人物|中)", r"\bfiktiv|\berfunden|\bfictif|\bfictive|\bficticio|вымышленн"
    r"|架空の|kuvitteelli",
))
"""There is nothing to give, and the answer says so."""
_CAVEAT: Final = re2.compile(_any(
    r"\b(?:no|not have|n't have|without) (?:direct |real-time |live )?access\b|\baccess (?:your"
    r"|the) (?:\w+ )?(?:account|files?|calendar"
    r"|system|drive|mailbox|link)|\battachments?\b|\breal[- ]time\b|\blive data\b|\bopen (?:files|links|attachments"
    r"|that link)"
    r"|\bbrowse\b|\blog ?in\b|\bin this channel\b|\bsee (?:your|images|the (?:screen|image|picture|file))"
    r"|\bverify (?:it|that)\b"
    r"|\b(?:cannot|can't) (?:guarantee|promise|be sure|be certain|remember)|\brun (?:it|that|this|code)\b"
    r"|\bmake (?:it|that decision)\b|\bsend (?:it|mail|e-?mails?)\b|\blong passages\b|\bfrom here\b|\bcutoff\b"
    r"|\bup[- ]to[- ]date\b",
    r"实时|权限|登录|附件|联网|访问|打开|连接|系统里|无法查看|无法确认|准确|您的账户|连線|權限|附檔|最新",
    r"anhänge|öffnen|zugriff|live|accès|temps réel|pièce|acceso|tiempo real|adjunt|доступ|вложен|реального|添付"
    r"|リアルタイム|アクセス|開け",
))
_HELPED: Final = re2.compile(_any(
    r"\bhowever,? you (?:can|could|may)\b"
    r"|\bbut (?:here(?:'s| is| are)|i can (?:give|explain|show|say|tell you|walk|help you|outline|describe)|you can"
    r"|you could|what|a "
    r"|the steps|these|there (?:is|are)|this)"
    r"|\bhere(?:'s| are| is) (?:the|a|an|what|how|some|my|your)|\binstead, (?:here|you|use|try)|\bthese steps\b|```"
    r"|:\n|\b1[.)] |: 1|\btwo quick ways"
    r"|\bfollow these\b|\bhappy to (?:draft|walk|show)\b|\byou can\b.{0,40}:",
    r"不过您?可以|但您?可以|但可以|步骤如下|以下是|下面是|可以这样|但可以|如下：|方法如下|一、",
    r"\baber (?:hier|so|das)\b|\bmais voici\b|\bpero (?:puedo|aquí|le)\b|\bles étapes|los pasos|schritte|но вот"
    r"|но можно|ですが、",
))


_MAY_REFUSE: Final = re2.compile(_any(
    r"\b(?:i|we)\b.{0,24}(?:n't|\bnot\b|cannot|unable|declin|refus|afraid|against|must"
    r"|prefer)", r"\bas an? (?:\w+ ){0,4}(?:ai|assistant"
    r"|language|bot|responsible)", r"\b(?:it|that|this)(?:'s| is| would be) (?:not|never|un|in|il|highly|deeply"
    r"|against|wrong)", r"^no\b|^never\b",
    r"^my (?:principles|guidelines|values|programming|polic\w+|rules)\b",
    r"(?:我|作为|助手|您的|你的|这).{0,12}(?:不|无法|没法|拒绝|违|非法)|抱歉|对不起|不好意思|^作为",
    r"\bich\b.{0,30}(?:nicht|kein)|\bje (?:ne|suis|refuse)|\bno (?:puedo|es|debo|voy)|не (?:мог|буду|стану)|ません"
    r"|かね|\b(?:en|emme) [vphs]"
    r"|\bnão\b|\bnon (?:posso|sono)|없",
))


def may_refuse(beginning: str) -> bool:
    """Whether a text that begins like this may turn out to be a refusal."""
    text = plain(beginning)
    return bool((text[:1] in _SMALL_BEGIN and _SMALL.match(text)) or _MAY_REFUSE.search(text.encode()))


def refuses(text: str) -> float:
    """How much a text's opening (some 300 characters at most) is an explicit refusal, 0 to 1; .6 is a clear one."""
    opening = plain(text)
    found = _REFUSES.search(opening)
    if not found:
        return 0.0
    score = 0.5
    if found.start() < 12:
        score += 0.1
    elif found.start() > 120:
        score -= 0.1
    if _SMALL.match(opening):
        score += 0.1
    raw = opening.encode()          # where something stands does not matter, and RE2 need not count characters
    if _HARM.search(raw):
        score += 0.2
    elif _SOME_BUSINESS.match(opening):
        score -= 0.1
    elif _PRIVACY.search(raw):
        score += 0.1
    if _UNREAL.search(raw):
        score -= 0.4
    if _CAVEAT.search(raw):
        score -= 0.3
    if _HELPED.search(raw):
        score -= 0.35
    return min(max(score, 0.0), 1.0)


def reasons(text: str) -> tuple[bool, bool, bool]:
    """What an opening gives as its reason: harm and rules, that there is no such thing, what nobody here can see."""
    opening = plain(text)
    return bool(_HARM.search(opening)), bool(_UNREAL.search(opening)), bool(_CAVEAT.search(opening))


# --- how such sentences open

_SECONDS: Final[dict[str, frozenset[str]]] = {
    first: frozenset(seconds.split())
    for first, seconds in {
        "the": "answer response rest remainder remaining content output text topic question subject matter system"
        " service"
               " assistant platform model request law laws rules previous above following generated reply message"
               " generation"
               " theme material query current conversation prompt policy bot issue next last further",
        "in": "accordance line compliance keeping order view light", "for": "compliance reasons safety legal policy"
        " policies"
              " security now your this that the such", "a": "compliance content policy safety part review filter"
              " security",
        "to": "comply keep be protect maintain ensure", "as": "an a this such per your i the", "what": "was else"
        " you about i would",
        "no": "reply answer response comment further information text content more", "thank": "you", "thanks": "for",
        "can": "we you i", "could": "we you i", "would": "you", "under": "applicable relevant current the local",
        "on": "this that such these", "with": "regard respect", "by": "law policy", "at": "this", "of": "course",
        "die": "ausgabe antwort folgende übrige verbleibende weitere frage regeln gesetze", "der": "rest text"
        " inhalt teil folgende",
        "das": "thema ist kann", "la": "suite fin réponse loi partie génération sortie respuesta salida ley pregunta",
        "le": "contenu texte reste contrôle sujet thème", "el": "contenido texto resto tema sistema",
    }.items()
}
_FIRSTS: Final = frozenset([
    "ahem", "er", "erm", "um", "uhm", "whoa", "oh",
    "sorry", "apologies", "apology", "apologise", "apologize", "unfortunately", "regrettably",
    "regretfully", "regret", "pardon", "excuse", "oops", "uh", "ah", "hm", "hmm", "warning", "notice", "system",
    "response", "answer", "content", "output", "generation", "let's", "let", "shall", "i'd", "i'm", "i", "we", "we'd",
    "we're", "due", "kindly", "please", "feel", "perhaps", "how", "time", "according", "mind", "your", "this", "that",
    "such", "these", "those", "my", "our", "it", "some", "try", "ask", "any", "maybe", "honestly", "frankly",
    "message", "text", "conversation", "request", "removed", "blocked", "filtered", "sensitive", "discussion", "it's",
    "that's", "let’s", "parts", "part", "given", "since", "hello", "hi", "dear", "leider", "entschuldigung", "tut",
    "es", "dieses", "diese", "dieser", "dies", "hinweis", "wechseln", "lassen", "darüber", "dazu", "dabei", "hierbei",
    "hierzu", "ich",
    "wir", "aus", "aufgrund", "gemäß", "nach", "zu", "malheureusement", "désolé", "désolée", "pardon", "ce", "cette",
    "ces", "parlons", "changeons", "conformément", "aucune", "je", "nous", "votre", "de", "merci", "lo",
    "lamentablemente", "perdón", "disculpe", "mejor", "este", "esta", "ese", "esa", "conforme", "hablemos",
    "cambiemos", "prefiero", "se", "su", "извините", "к", "эта", "этот", "это", "в", "ответ", "вывод", "текст",
    "давайте", "по", "я", "мы", "простите", "дальнейшая", "часть", "такие", "данный", "ваш", "сменим",
    "valitettavasti", "en", "emme", "tämä", "tästä", "pahoittelen", "vaihdetaan", "anteeksi", "puhutaan", "tällaiset",
    "olen", "não", "non", "désolé", "mi", "me"]) | _SECONDS.keys()
_ABBREVIATED: Final = frozenset(["ER", "UM"])
"""An emergency room and a university are no interjections."""
_BEGUN: Final = frozenset(word[:size] for word in _FIRSTS for size in range(1, len(word) + 1))
_WIDE_FIRSTS: Final = tuple(
    ["抱歉", "很抱歉", "非常", "实在", "真", "对不", "對不", "不好", "很遗", "很遺", "遗憾", "哎", "嗯", "唔", "您",
    "你", "唉", "呃", "诶", "哦", "喔", "噢",
    "感谢", "坦率", "老实", "尊敬", "这", "這", "该", "該", "此", "我", "有关", "有關", "根据", "根據", "按照",
    "依照", "依据", "因", "为了", "为营", "为维", "爲", "关于", "關於", "系统", "系統", "内容", "內容", "以上",
    "以下", "以降", "刚才", "剛才", "余下", "剩余", "本", "让我", "讓我", "让咱", "咱", "换", "換", "要不", "作为",
    "暂", "暫", "由于", "其他", "其它", "相关", "相關", "小助手", "输出", "輸出", "回答", "检测", "提示", "后续",
    "接下来", "部分", "那", "不", "对此", "对于", "出力", "申", "残念", "すみ", "この", "その", "こう", "ご", "別",
    "他", "安全", "規約", "それ", "話題", "もう", "ただ", "お", "恐れ", "法令", "确", "確", "拒绝", "恕", "请", "請",
    "还是换", "還是換", "还是聊", "還是聊", "建议换", "建議換",
    "我们", "作為", "続き", "文章"]
)
_WIDE_BEGUN: Final = frozenset(first[:size] for first in _WIDE_FIRSTS for size in range(1, len(first) + 1))

_ASIDES: Final = (
    *(very + sorry
      for very in ("", "很", "非常", "十分", "实在", "实在是", "實在", "實在是", "真", "真的", "真是", "真的很",
                   "深感", "万分", "萬分")
      for sorry in ("抱歉", "遗憾", "遺憾", "对不起", "對不起", "对不住", "對不住", "不好意思")),
    "哎", "唉", "嗯", "唔", "呃", "诶", "哦", "喔", "噢",
    "请换", "請換", "请您换", "請您換", "还是换", "還是換", "还是聊", "還是聊",
)
_ASIDES_BEGUN: Final = frozenset(aside[:size] for aside in _ASIDES for size in range(1, len(aside) + 1))


def opens(word: str, second: str, *, aside: bool = False) -> bool:
    """Whether a stock sentence may open with these two words.

    ``aside``: behind a comma or within a run of ideographs, where only an apology or an interjection opens one.
    """
    if aside:
        return word.startswith(_ASIDES)
    if "\u3040" <= word[:1] <= "\u9fff":
        return word.startswith(_WIDE_FIRSTS)
    if word in _ABBREVIATED:
        return False
    first = word.lower().replace("’", "'")
    seconds = _SECONDS.get(first)
    return first in _FIRSTS and (seconds is None or second.lower() in seconds)


@lru_cache(maxsize=4096)
def may_open(letters: str, *, aside: bool = False) -> bool:
    """Whether a first word of theirs may begin with these letters."""
    if aside:
        return not letters.isascii() and (letters in _ASIDES_BEGUN or letters.startswith(_ASIDES))
    if "\u3040" <= letters[:1] <= "\u9fff":
        return letters in _WIDE_BEGUN or letters.startswith(_WIDE_FIRSTS)
    return letters.lower().replace("’", "'") in _BEGUN
