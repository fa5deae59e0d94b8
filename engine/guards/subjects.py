"""The words of sensitive politics, with how suspicious each is by itself.

Names and events speak for themselves. Of power, blame, states and forms of writing it takes several, beside each
other; `engine.guards.topics` reads them sentence by sentence.
"""

from __future__ import annotations

from typing import Final

from engine.guards.orders import Sign, Where

_STATE: Final = (
    r"(?:china|chinese|prc|beijing|hong kong|taiwan\w*|xinjiang|russia\w*|moscow|ukrain\w+|belarus\w*|iran\w*"
    r"|israel\w*|gaza"
    r"|palestin\w+|tibet\w*|guangdong|soviet|africa\w*|middle east|syria\w*|north korea\w*|venezuela\w*|cuba\w*"
    r"|turkey|turkish|hungar\w+|saudi|myanmar|america\w*"
    r"|u\.?s\.?"
    r"|united states|e\.?u\.?|european union|brussels|german\w*|france|french|spain|spanish|ital\w+|swed\w+|polish"
    r"|poland"
    r"|greek|greece|dutch|denmark|danish|belgi\w+|austria\w*|ireland|irish|switzerland|swiss|britain|british|uk"
    r"|india\w*"
    r"|kiina\w*|chine|chinois\w*|russie|russisch\w*|rusia|venaja\w*)"
)
_POWER: Final = (
    r"(?:governments?|regimes?|party|parties|state|federal|congress|senate|parliament|president\w*|prime minister"
    r"|chancellor"
    r"|politburo|communis\w+|socialis\w+|fascis\w+|democra\w+|authoritarian\w*|dictator\w*|military|army|police"
    r"|(?:foreign|trade|economic|public|domestic|fiscal|monetary|population|ethnic|industrial|national|government|state"
    r"|party) polic(?:y|ies)"
    r"|elections?|voters?|voting|legislat\w+|laws?|courts?|supreme court|immigra\w+|migrants?|border|refugees?"
    r"|minorit(?:y|ies)"
    r"|taxpayers?|defen[cs]e spending|authorit(?:y|ies)|activists?|journalists?|farm subsidies|welfare|lobby\w*"
    r"|oligarchs?|colonial\w*|sovereignty|constitution\w*|ruling|politic\w+|citizens?"
    r"|leaders?)"
)
_BLAME: Final = (
    r"(?:condemn\w*|critici[sz]\w+|critique\w*|critical|satir\w+|mock\w*|ridicul\w+|expos(?:e|es|ing)|denounc\w+"
    r"|protest\w*"
    r"|propaganda|censor\w*|corrupt\w*|oppress\w*|repress\w*|persecut\w*|surveillance|human rights|abuses?"
    r"|atrocit\w+|genocide"
    r"|massacre\w*|war crimes?|crackdown\w*|purges?|dissidents?|disappear\w+|detention|detain\w*|exploit\w*"
    r"|complicit\w*"
    r"|failures?|injustice|discriminat\w+|brutality|occupation|annex\w+|invasion|invad\w+|forced|camps?|torture"
    r"|independence"
    r"|opacity|inequality|disparit\w+|gap|bias\w*|racial|racis\w+|restrict\w*|banned|famine|blackmail"
    r"|neo-?colonial\w*|erase|leaked|bankrupt\w+|profit\w*|hoarding|neglect\w*|capture"
    r"|disinformation|meddling)"
)
_FORM: Final = (
    r"(?:(?:write|draft|compose|create|prepare|generate|deliver|produce|pen)\b[^.!?\n]*\b(?:speech|op-?ed|essay"
    r"|editorial|manifesto"
    r"|satir\w+|pamphlet|leaflet|petition|protest song|memo|monologue|article|critique|critical (?:review|analysis"
    r"|comparison)"
    r"|timeline|report|poem|rap)"
    r"|(?:analy[sz]e|critique|condemn|argue (?:that|for|against)|list (?:arguments|examples|evidence)"
    r"|explain the supposed"
    r"|justify|defend the|describe (?:methods|tactics|how)|compare|as a supporter of))"
)
POLITICAL: Final = (
    Sign("event", 0.8, Where.BOTH,
         r"\b(?:tian'?anmen\w* (?:square )?(?:massacre|incident|protests?|crackdown|mothers|tapaht\w+)|june (?:4"
         r"|fourth|4th)"
         r"|tank man|uy?ghurs?|uighurs?|uiguuri\w*|falun (?:gong|dafa)|free tibet|dalai lama|panchen lama"
         r"|great leap forward"
         r"|cultural revolution|hundred flowers|umbrella movement|charter 08|white paper (?:protests?|movement)"
         r"|great firewall"
         r"|social credit|organ harvest\w*|one[- ]child policy|debt[- ]trap|nine[- ]dash line|great famine|liu xiaobo"
         r"|zhao ziyang|hu yaobang|peng shuai|jimmy lai|joshua wong|ai weiwei|chen guangcheng|ilham tohti|li wenliang"
         r"|jack ma|political prisoners?|forced labou?r|re-?education camps?|internment camps?|709 crackdown)\b"),
    Sign("event", 0.8, Where.BOTH,
         "六四|天安门(?:事件|屠杀|镇压|抗议|运动|母亲)|八九民运|学潮|坦克人|法轮功|达赖|班禅|藏独|藏人|疆独|维吾尔"
         "|集中营|再教育营|拘留营|台独"
         "|台湾(?:独立|问题|地位|主权|统一|是不是|是否|属于)|文革|文化大革命|大跃进|大饥荒|反右|雨伞运动|反送中"
         "|香港国安法|香港示威|刘晓波"
         "|赵紫阳|胡耀邦|零八宪章|艾未未|白纸运动|四通桥|防火长城|活摘|南海(?:争端|仲裁|主权)|独立媒体|言论自由"
         "|新闻自由|网络审查|人权"
         "|民主化|民运|维权|上访|异见|异议|独裁|专制|一党"),
    Sign("event", 0.6, Where.BOTH,
         r"\b(?:tiananmen\w*|belt and road|south china sea|taiwan(?:'s)? (?:independence|status|sovereignty)"
         r"|status of taiwan"
         r"|shadowsocks|holodomor|cointelpro|winnie the pooh|student (?:demonstrations?|protests?)|chained woman)\b"),
    Sign("ruler", 0.7, Where.BOTH,
         r"\b(?:xi jinping|mao(?: zedong| tse-?tung)?|maoist|deng xiaoping|jiang zemin|li keqiang|bo xilai|ccp|cpc"
         r"|kremlin"
         r"|navalny|wagner group|prigozhin|kadyrov\w*|lukashenko|fsb|gru|annexation of crimea|donbas|chechen"
         r"|politkovskaya"
         r"|nemtsov)\b"),
    Sign("ruler", 0.7, Where.BOTH,
         "习近平|毛泽东|邓小平|江泽民|胡锦涛|李克强|薄熙来|温家宝|中共|共产党|党中央|政治局|习主席|国安法|克里姆林宫"
         "|民进党|小熊维尼"),
    Sign("name", 0.42, Where.BOTH,
         r"\b(?:putin\w*|trump|biden|obama|netanyahu|hamas|hezbollah|erdogan|orban|maduro|khamenei|kim jong"
         r"|zelensky\w*|macron"
         r"|merkel|modi|stalin|frontex|jan(?:uary)? 6|gerrymander\w*|citizens united|black lives matter|brexit|afd"
         r"|guantanamo"
         r"|crimea|oligarchs?|cantonese)\b|普京|特朗普|拜登|蔡英文|赖清德|国民党|领导人|粤语|敏感"),
    Sign("power", 0.42, Where.BOTH,
         rf"\b{_POWER}\b"
         "|政府|政权|政治|政策|官员|当局|国家机器|选举|军队|镇压|宣传|主权|统一|体制"),
    Sign("state", 0.33, Where.BOTH, rf"\b{_STATE}\b|中国|俄罗斯|美国|香港|欧盟|朝鲜|乌克兰|以色列|缅甸|西藏|新疆|台湾"),
    Sign("blame", 0.42, Where.BOTH,
         rf"\b{_BLAME}\b|批评|批判|谴责|讽刺|揭露|抗议|腐败|压迫|迫害|监控|拘留|屠杀|强制|审查|消除|殖民|侵犯|剥削"
         rf"|监禁|不透明"),
    Sign("form", 0.4, Where.BOTH, rf"\b{_FORM}\b|起草|撰写|写一篇|写一首|列举|分析|论证|描述|宣传册|演讲|社论"),
)

OFFICE: Final = (
    r"\b(?:farewell|birthday|christmas|holiday|summer|winter|spring|autumn|launch|office|team|staff|company|dinner"
    r"|garden|retirement|leaving|welcome|release|third|other|contracting|first|second|which|each|either|both)"
    r" part(?:y|ies)\b|\bpart(?:y|ies) (?:to|under|of) (?:the|an?|this|that|our) (?:\w+ )?(?:contract|agreement|call)\b"
    r"|\bparty (?:room|planning|budget|tent|food|games?)\b"
    r"|\bgovernment (?:contracts?|holidays?|customers?|clients?|discounts?|tenders?|grants?|portals?|fees?|forms?"
    r"|ids?)\b"
    r"|\bstate (?:pensions?|machines?|tax(?:es)?|holidays?|management|transitions?|files?|migrations?)\b"
    r"|\bmilitary (?:discounts?|leave|time)\b|\bborder (?:cases?|width|radius|colou?r|style)\b"
    r"|\b(?:federal|public|national|state) holidays?\b|\bpolitical (?:posts?|discussions?|talk) (?:in|on|at) (?:our"
    r"|the)\b"
    r"|\b(?:team|guild|project|tech|sales|market|group|shift|union) leaders?\b|\bleaders?'? (?:meeting|circle"
    r"|offsite)\b"
    r"|\bworks councils?\b|\bleader election\b|\bpolic(?:y|ies) on\b|\b(?:company|our|hr|it|leave|travel"
    r"|security) polic(?:y|ies)\b"
    rf"|\b{_STATE} (?:offices?|teams?|branch(?:es)?|plants?|markets?|subsidiar(?:y|ies)|warehouses?|customers?|sales"
    rf"|suppliers?"
    r"|colleagues?|sites?|payroll|entity|team's|office's)\b|\btravail\b"
    r"|(?:公司|年假|休假|假期|假日|报销|差旅|密码|退[货款]|价格|福利|薪酬|考勤|采购|数据|远程|加班|招聘|保留|备份|培训)的?政策"
    r"|(?:会议室|机房|仓库|门口|大门|系统|服务器|性能|日志|温度|电梯)的?监控|(?:代码|合同|发票|资质)审[查核]|审[查核]流程|批评性"
    r"|政府(?:客户|项目|合同|假日|采购|补贴)"
    r"|(?:中国|俄罗斯|美国|香港|欧盟|乌克兰|以色列|西藏|新疆|台湾)的?(?:分公司|子公司|办事处|办公室|团队|分部|市场|客户|供应商|工厂|仓库|同事)"
)
"""What an office calls by such words: its parties and policies, the leaders of its teams, its branches abroad."""
