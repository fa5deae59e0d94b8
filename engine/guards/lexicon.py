"""Groups of short phrases whose place in a text tells what the text is doing. They decide nothing by themselves.

A phrase is at most six tokens long (`engine.guards.features.tokenise`: a word, or one ideograph or kana).
"""

from __future__ import annotations

from typing import Final

GROUPS: Final[dict[str, str]] = {
    "negation": (
        "i can't|i cannot|i can not|i could not|i couldn't|i won't|i will not|i am unable|i'm unable|i am not able|"
        "i'm not able|i'm afraid i|i must decline|i have to decline|i decline|i refuse|i do not feel|i don't feel|"
        "i shouldn't|i should not|i'd rather not|i would rather not|i would prefer not|i'd prefer not|"
        "i am not comfortable|i'm not comfortable|i'm not going to|i am not going to|i'm not allowed|i may not|"
        "i am not allowed|i am not permitted|i'm not permitted|i'm unwilling|not able to|unable to|cannot be|"
        "can't be|can not be|will not be|not available|no longer available|not possible|not appropriate|"
        "not something i|we cannot|we can't|we are unable|cannot assist|can't assist|cannot help|can't help|"
        "cannot provide|can't provide|cannot discuss|can't discuss|cannot answer|can't answer|not discuss|not answer|"
        "not provide|not assist|not comment|no comment|not designed|not programmed|i have no opinion|i don't have|"
        "我无法|我不能|我不会|我不便|我没有|我不可以|我暂时|无法回答|不能回答|无法提供|不能提供|无法讨论|"
        "不能讨论|无法协助|不能协助|"
        "无法继续|不能继续|无法显示|无法展示|不便回答|不便讨论|不便展示|不宜|不予|拒绝|不便|不作讨论|不作评|"
        "恕我|爱莫能助|无可奉告|"
        "ich kann|kann ich nicht|nicht möglich|ich darf|darf ich nicht|je ne peux|je ne suis|ne peux pas|ne puis|"
        "ne peut pas|no puedo|no podemos|no es posible|не могу|не можем|невозможно|нельзя|できません|お答え|控え|"
        "en voi|en pysty|en valitettavasti"
    ),
    "apology": (
        "sorry|i'm sorry|i am sorry|apologize|apologise|apologies|my apologies|unfortunately|regret|oops|excuse me|"
        "抱歉|对不起|不好意思|遗憾|见谅|谅解|entschuldigung|leider|désolé|désolée|malheureusement|lo siento|lamento|"
        "perdón|извините|простите|к сожалению|申し訳|すみません|pahoittelen|valitettavasti"
    ),
    "offer": (
        "something else|another topic|different topic|other topic|another question|different question|"
        "other questions|another subject|different subject|change the topic|change the subject|change of topic|"
        "change topics|let's talk|let's chat|let us talk|let us chat|instead|feel free|happy to help|glad to help|"
        "happy to assist|glad to assist|happy to|glad to|ask me|ask about|talk about|chat about|anything else|"
        "how about|try asking|rephrase|new question|new conversation|new chat|start over|thank you for|thanks for|"
        "换个话题|换一个话题|其他话题|别的话题|其他问题|别的问题|换个问题|换一个|换个|聊聊|聊点|聊些|别的|欢迎|"
        "很乐意|乐意|随时|"
        "感谢您的|感谢你的|重新提问|另起|再试|anderes thema|andere frage|autre sujet|autre chose|autre question|"
        "otro tema|otra cosa|otra pregunta|другую тему|другой вопрос|другом|他の|別の|jotain muuta|autan mielelläni"
    ),
    "policy": (
        "policy|policies|guidelines|regulations|regulation|laws and|applicable law|terms of|rules|compliance|"
        "compliant|non-compliant|comply|sensitive|inappropriate|harmful|unsafe|safety|ethical|unethical|illegal|"
        "against my|my programming|content policy|not permitted|prohibited|restricted|moderation|"
        "法律法规|相关规定|有关规定|规定|政策|敏感|违规|合规|违反|不当|不适当|安全策略|安全|社区|准则|规范|清朗|"
        "有害|非法|违法|道德|"
        "richtlinie|vorschrift|règles|politique|normas|política|правил|закон|規約|法令|säännö"
    ),
    "service": (
        "generation|output|was stopped|has been stopped|was removed|was withdrawn|has been withdrawn|withdrawn|"
        "was ended|ended this|terminated|interrupted|blocked|filtered|content filter|this request|this reply|"
        "this answer|this response|this question|this topic|this content|this conversation|the content|"
        "cannot be displayed|be displayed|be shown|off limits|off the table|beyond my|outside my|my scope|"
        "current scope|out of scope|this platform|this service|haven't learned|not learned|still learning|"
        "停止|终止|中断|撤回|隐藏|屏蔽|过滤|触发|系统|平台|服务|该请求|该问题|此问题|该内容|此内容|该回答|"
        "本回答|这个问题|这个话题|"
        "此类|这类|该话题|此话题|超出|范围|能力|尚未|还没|没有学会|学习中|展示|显示|输出|生成|"
        "diese anfrage|diese frage|cette question|cette demande|esta pregunta|esta solicitud|этот вопрос|"
        "этот запрос|この質問|この内容|ご質問"
    ),
    "self": (
        "as an ai|as a ai|as an assistant|as a language|as a responsible|language model|ai assistant|ai language|"
        "i'm just an|i am just an|i am only a|i'm only a|i'm an ai|i am an ai|i am designed|i'm designed|"
        "my purpose|作为一个|作为一名|作为人工|作为ai|人工智能|语言模型|ai助手|智能助手|助手|als ki|als sprachmodell|"
        "en tant qu|como modelo|как ии|tekoäly"
    ),
    "official": (
        "inalienable|legitimate rights|rights and interests|in accordance with|according to law|rule of law|"
        "always adhered|always adheres|always upheld|consistently|firmly opposes|resolutely|resolutely opposes|"
        "attaches great importance|great importance|people-centered|ethnic unity|ethnic groups|national unity|"
        "social stability|harmonious|harmony|stability and|prosperity|national rejuvenation|rejuvenation|"
        "shared future|common prosperity|internal affairs|sovereignty|territorial integrity|one-china|"
        "baseless|groundless|unfounded|smear|slander|rumors|rumours|anti-china|external forces|"
        "foreign interference|remarkable achievements|remarkable progress|great achievements|objectively|"
        "objective and fair|communist party|vocational education|counter-terrorism|extremism|livelihood|"
        "happiness|peaceful development|facts have proved|history has proved|unswervingly|wholeheartedly|"
        "中国政府|高度重视|始终坚持|一贯|坚持以人民|以人民为|为中心|人民群众|各族人民|各族群众|合法权益|依法|"
        "法治国家|依法治国|"
        "社会稳定|长治久安|和谐|稳定|繁荣|民族团结|国家统一|领土完整|主权|内政|不可分割|坚决反对|坚决维护|"
        "坚定不移|别有用心|"
        "毫无根据|抹黑|污蔑|谣言|不实|歪曲|误解|客观公正|客观|理性|历史定论|明确的|正能量|核心价值观|社会主义|"
        "党的领导|"
        "坚强领导|伟大复兴|命运共同体|共同富裕|获得感|幸福感|安居乐业|取得了|成就|有目共睹|历史性|国际社会|反恐|"
        "去极端化|职业技能|"
        "权威|官方|共商共建|互利共赢|瑰宝|kiinan hallitus|lainsäädännön|oikeuksia|vakauden|hyvinvoin|erottamaton"
    ),
    "critical": (
        "critics|critics argue|criticism|human rights|abuses|abuse|violations|repression|oppression|persecution|"
        "surveillance|censorship|censored|detention|detained|detainees|arrested|imprisoned|disappeared|torture|"
        "forced labor|forced sterilization|genocide|massacre|crackdown|authoritarian|authoritarianism|"
        "totalitarian|propaganda|corruption|opaque|lack of transparency|dissent|dissidents|silenced|coercion|"
        "coercive|exploitation|reportedly|according to reports|researchers|satellite|leaked|evidence|united nations|"
        "amnesty|watchdog|activists|journalists|victims|erasure|satire|irony|"
        "批评|批评者|人权|侵犯|压制|镇压|迫害|监控|监视|审查|拘留|拘押|关押|逮捕|监禁|失踪|酷刑|强迫|强制|"
        "种族灭绝|屠杀|威权|专制|极权|"
        "宣传|腐败|不透明|异见|异议|沉默|剥削|据报道|研究者|卫星|泄露|证据|联合国|活动人士|记者|受害|质疑|争议|"
        "讽刺|独裁|清洗|"
        "ihmisoikeu|sensuur|vangit|pidätet|valvon|kritiik|sorto|pakkoty|vaino"
    ),
    "report": (
        "the bot|bot replied|bot answered|the model|the message|the reply|the sentence|the phrase|the line|the log|"
        "logs|the text|fallback|template|translate|translated|translation|means|quoted|quote|the customer|"
        "test case|fixture|unit test|threshold|error message|banner|the page|returns|prompts the|wording|the user|"
        "机器人|客服|日志|兜底|模板|翻译|译为|译文|意思是|这句|这段|文案|用例|测试|阈值|报错|提示|返回|客户|"
        "用户|原文|引用|"
        "der bot|fehlermeldung|protokoll|le robot|journal|le client|el bot|registro|бот|журнал|ボット|ログ|文言"
    ),
    "help": (
        "here is|here are|here's|sure|certainly|of course|absolutely|step|steps|first|second|for example|such as|"
        "you can|you could|make sure|in conclusion|overall|title|introduction|follow|"
        "以下|如下|首先|其次|例如|比如|步骤|可以|建议|总结|综上|第一|hier ist|voici|aquí|вот|以下の|tässä|ensiksi"
    ),
    "premise": (
        "fictional|fictional character|a fictional|does not exist|do not exist|doesn't exist|don't exist|not real|"
        "no evidence|no scientific|no inherent|no reason|there is no|there are no|based on the premise|false premise|"
        "not aware of any|not publicly available|publicly available|private information|humorous|hypothetical|"
        "not capable|not human|is a misconception|虚构|并不存在|不存在|没有证据|没有科学|前提|并非真实|公开的"
    ),
}
