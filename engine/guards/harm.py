"""How people ask for harm, or do it in words: categories in many phrasings, English and Chinese foremost.

Weights follow from how often a rule is right on the training rows: those that met no harmless one weigh most.
A word alone proves little, so most rules join two things within one sentence: a way of asking and what is asked for,
a group and what is said about it, a person and what is to be done to them. Rules are over normalised text.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import Final

import re2

from engine.guards.orders import Sign, Signs, Where
from engine.guards.suspicion import Suspicion, sentencewise

_DO: Final = (
    r"\b(?:how (?:to|do|can|could|would|should|might)|ways? to|where (?:can|could|do|to|should)|methods? (?:to|for|of)"
    r"|steps to|guide (?:to|on|for)|tutorial|instructions? (?:for|to|on)|tips|strateg\w+ (?:to|for)|techniques?"
    r"|manual (?:for|on)|plan to|can you|can i|should i|is it ok\w*|i want|i need|i'd like|i would like|i plan"
    r"|what(?:'s| is| are) (?:the|a|some) (?:best|easiest|fastest|quickest|safest|most|good|effective|easy|simple))\b"
    r"|(?:^|[.!?,:;\"] ?|\b(?:please|to|you|me|and|then|now) )(?:teach|write|create|give|provide|develop|design|suggest"
    r"|help|show|list|outline|produce|generate|make|draft|compose|recommend|build|explain how|describe how|offer)\b"
)
_ASK: Final = rf"(?:{_DO}|\b(?:explain|describe|tell|what (?:is|are|'s)|what's|which)\b)"
_WANT: Final = rf"(?:{_DO})"

_THEM: Final = (
    r"(?:some(?:one|body)|anyone|people|persons?|a (?:\w+ )?(?:person|child|kid|girl|woman|man|boy|minor|teenager"
    r"|stranger|victim|customer|client|user|coworker|friend|student|politician|celebrity)|my (?:\w+ ){0,2}(?:friends?"
    r"|wife|husband|boss|ex\w*|neighbou?rs?|colleagues?|co-?workers?|girlfriend|boyfriend|partner|classmates?"
    r"|roommates?|tenants?|landlords?|parents?|mother|father|sister|brother|teacher|kids?|children|enemy|enemies|spouse|crush|manager"
    r"|employees?)|others|them|him|her|victims?|children|kids|minors|teenagers|teens|(?:the )?elderly|seniors|women"
    r"|girls|men|students|customers|consumers|investors|voters|users|followers|the public|individuals?|everyone"
    r"|vulnerable \w+|an? (?:individual|innocent \w+|elderly \w+|underage \w+|employee|acquaintance|enemy|opponent))"
)
_GROUP: Final = (
    r"(?:women|men|girls|boys|females?|males?|blacks?|black (?:people|men|women)|whites?|white (?:people|men|women)"
    r"|asians?|jews?|jewish (?:people)?|muslims?|islam|christians?|catholics|hindus?|atheists|buddhists|gays?"
    r"|gay (?:people|men)|lesbians?|homosexuals?|bisexuals?|trans(?:gender)?\w* ?(?:people|women|men)?|immigrants?"
    r"|refugees|foreigners|mexicans?|latin[oax]s?|hispanics?|arabs?|chinese|japanese|koreans?|indians?|africans?"
    r"|american ?indians|americans|europeans|russians|germans|gypsies|roma|natives?|indigenous people"
    r"|disabled people|(?:the )?disabled|people with (?:\w+ ){0,3}(?:disabilit\w+|autism|adhd|aids|hiv|depression"
    r"|mental illness)|autistic people|(?:the )?poor|poor people|(?:the )?elderly|old people|older people|fat people"
    r"|obese people|overweight people|homeless people|(?:the )?homeless|liberals|conservatives|democrats|republicans"
    r"|(?:bald|short|unattractive|ugly|uneducated|illiterate|rich|atheist|religious|hindu|muslim|jewish"
    r"|catholic|rural|southern"
    r"|northern|eastern|western|foreign|brown|dark[- ]skinned|unemployed|asian|african|arab|deaf|blind) people"
    r"|people from (?:the )?\w+|feminists|single mothers|blondes|rural people|farmers|teenagers|sex workers"
    r"|low-income \w+|\w+ patients)"
)
_BAD: Final = (
    r"(?:inferior|lazy|lazier|stupid|dumb|dumber|dirty|filthy|criminals?|violent|less (?:intelligent|capable"
    r"|competent|likely|smart|worthy|emotional)|not (?:smart|capable|fit|suited|welcome|as good|good at|human)"
    r"|terrorists?|greedy|dangerous|ugly|weak|weaker|emotional|hysterical|bad (?:at|drivers?)|worse (?:at|drivers?)"
    r"|sluts?|whores?|aggressive|thieves|thugs?|immoral|sinful|uncivili[sz]ed|primitive|backward|evil|disgusting"
    r"|gross|vermin|parasites|cockroaches|plague|disease|should (?:die|be (?:banned|killed|deported"
    r"|eliminated|removed|fired|punished|sterili[sz]ed)|not be (?:allowed|permitted)|stay in|go back)"
    r"|deserve (?:to|it|less)|ruining|destroying|taking over|to blame|cheap|stingy|untrustworthy|dishonest|crazy"
    r"|incompetent|misbehav\w+|no respect|bad behaviou?r|barbari\w+|savages?|unclean|smelly|cowards?|liars?|cheaters?"
    r"|less attractive|uncultured|arrogant|burden|useless|worthless|misbehaved|easily offended|so (?:bad|rude"
    r"|loud|fat|poor|ugly|mean|angry))"
)
_ILL: Final = (
    r"(?:steal\w*|rob(?:bing|bery)?|shoplift\w*|break(?:ing)? into|pick(?:ing)? (?:a |the )?locks?|hot-?wir\w+"
    r"|embezzl\w+|launder\w*|counterfeit\w*|forg(?:e|ed|ing|ery)|pirat(?:e|ed|ing|acy)|smuggl\w+|traffick\w*"
    r"|extort\w*|blackmail\w*|brib\w+|sabotag\w+|vandali[sz]\w+|hijack\w*|kidnap\w*|abduct\w*|arson|murder\w*"
    r"|assassinat\w+|poison\w*|tortur\w+|stalk\w*|harass\w*|bully\w*|cyber-?bully\w*|troll(?:ing)?|doxx?\w*"
    r"|intimidat\w+|humiliat\w+|defam\w+|slander\w*|libel|molest\w*|grope|rape|sexually (?:abuse|assault|exploit)\w*"
    r"|exploit(?:ing|ation of)?|groom(?:ing)?|defraud\w*|scam\w*|swindl\w+|con (?:people|artist|someone)|phish\w*"
    r"|spam(?:ming)?|hack(?:ing|er)?|ddos|malware|ransomware|spyware|keylogg\w+|botnets?|trojans?|virus(?:es)? (?:to"
    r"|that)|plagiari[sz]\w+|cheat(?:ing)? (?:on|in|at|the)|insider trading|money laundering|tax (?:evasion|fraud)"
    r"|evad(?:e|ing) (?:tax\w*|police|the law|law enforcement|detection|security|customs)|identity theft"
    r"|credit card (?:fraud|numbers?)|(?:skim|clon|cop[iy])(?:ming|e|ing|es)? (?:credit|debit|bank) ?-?cards?"
    r"|(?:clon(?:e|ing)|fak(?:e|ing)|forg(?:e|ing)) (?:an?|the|my|his|her|their"
    r"|some\w+) (?:\w+'?s )?"
    r"(?:badge|key ?card|access card|id card)|ponzi|pyramid scheme|price gouging|child labou?r|slave\w*|sweatshop"
    r"|illegal(?:ly)?|unlawful\w*|black market|dark ?web|contraband|overdos\w+|get(?:ting)? high|cocaine|heroin|meth"
    r"|methamphetamine|fentanyl|lsd|mdma|ecstasy|steroids without|date[- ]rape|roofies?|bombs?|explosives?|grenades?"
    r"|molotov|bioweapon\w*|chemical weapons?|nerve agents?|anthrax|ricin|sarin|mass shooting|school shooting"
    r"|terroris\w+|extremis\w+|radicali[sz]\w+|genocide|lynch\w*|riots?|self-?harm\w*|suicide|anorexi\w+|bulimi\w+"
    r"|starv(?:e|ing|ation)|eating disorders?|animal (?:cruelty|abuse)|dog ?fight\w*|poach\w+|wildfire|child porn\w*"
    r"|revenge porn|deep ?fakes?|vigilante|militia|weapons? (?:illegally|without)|untraceable|stolen|torrents?"
    r"|unlicensed|without (?:a )?(?:license|prescription|permission|consent|paying|a background check)"
    r"|(?:commit\w*|perpetrat\w+) (?:\w+ ){0,3}(?:fraud|crimes?|perjury|theft|treason|atrocit\w+|violence)"
    r"|criminal activit\w+"
    r"|(?:insurance|mail|wire|tax|benefits?|welfare|bank|voter|election|marriage|visa) fraud|tamper\w* with|falsif\w+"
    r"|unauthori[sz]ed access|without (?:their|user|any|his|her|the \w+'s) (?:consent|knowledge|permission)|enslav\w+"
    r"|mistreat\w*|terrori[sz]e|hate crimes?|weapons? of mass destruction|nefarious\w*|burglar\w*|pickpocket\w*"
    r"|wiretap\w*"
    r"|harvest\w* (?:\w+ ){0,2}(?:data|e-?mails?|passwords?|credentials)|child (?:soldiers?|marriage|brides?)"
    r"|bestiality"
    r"|sex with (?:animals?|minors?|children|corpses?)|cannibali\w+|drunk driving without|steals? (?:\w+ )?data"
    r"|(?:sow\w*|caus\w+|creat\w+|spread\w*) (?:\w+ )?(?:mass )?(?:chaos|panic|terror|unrest)"
    r"|manipulat\w+ (?:\w+ )?(?:markets?|stocks?|prices?|elections?|voters?|votes?|ballots?)|voting machines?"
    r"|rig (?:an?|the) (?:election|auction|tender|lottery|poll|game)|evidence tampering|jury tampering)"
)
_FALSE: Final = (
    r"(?:(?:fake|false|misleading|fabricated|phony|bogus|forged|deceptive|fraudulent|defamatory|sensational\w*"
    r"|made-up|libelous|inaccurate|slanderous)(?: \w+){0,2} (?:news|articles?|reviews?|posts?|profiles?|identit\w+"
    r"|ids?|stor(?:y|ies)|rumou?rs?|evidence|documents?|invoices?|charit\w+|accounts?|testimon\w+|information|claims?"
    r"|websites?|certificates?|degrees?|passports?|currency|money|bills|receipts?|prescriptions?|headlines?|ads?"
    r"|advertisements?|stud(?:y|ies)|research|advice|emails?|data|remed\w+|cures?|allegations?|campaigns?|press"
    r" release|narratives?|tweets?|statements?|videos?)|disinformation|misinformation|conspiracy theor\w+|hoax(?:es)?"
    r"|vaccin\w+ (?:cause|kill|are (?:dangerous|deadly|poison\w*|a hoax))|5g (?:causes?|spreads?"
    r"|towers? (?:cause|spread))"
    r"|(?:moon landings?|climate change|pandemic|covid\S*|global warming|the earth) (?:is|was|are"
    r"|were) (?:a )?(?:fake\w*|hoax"
    r"|staged|invented|lie|flat)|posing as an? (?:expert|doctor|scientist|official|police\w*)|fals(?:e|ely) accus\w+"
    r"|without any (?:scientific )?evidence|propaganda|anti-?vax\w*|flat earth|holocaust (?:denial|never|is a"
    r"|was a)|chain letter|clickbait)"
)
_TURN: Final = (
    r"(?:manipulat\w+|trick(?:ing)?|deceiv\w+|lur(?:e|ing)|seduc\w+|pressur\w+|coerc\w+|provok\w+|incit\w+|brainwash\w*"
    r"|gaslight\w*|convinc\w+|persuad\w+|encourag\w+|force|forcing|urge|trap|bait|guilt[- ]trip|isolate|sabotage"
    r"|get revenge on|take revenge on|retaliate against|mess with|spy(?:ing)? on|eavesdrop on|secretly (?:record"
    r"|follow|track|film|watch|photograph)|track|blackmail|impersonat\w+|drug|poison|hurt|harm|kill|injure|beat(?: up)?"
    r"|attack|punch|stab|shoot|strangle|choke|drown|burn|rape|molest|grope|exploit|rob|scam|con|cheat|mislead|ruin"
    r"|humiliate|embarrass|mock|insult|ridicule|ostracize|ignore|torment|taunt|belittle|demean|shame|threaten|scares?|scaring"
    r"|frighten(?:s|ing)?|terrif(?:y|ies|ying)|knock(?:s|ing)? out|knock(?:s|ing)?|intimidate)"
)
_RISKY: Final = (
    r"(?:risky|dangerous|unsafe|harmful|illegal|unhealthy|extreme|drugs?|alcohol\w*|smok\w+|sexual|sex|suicid\w+"
    r"|gambl\w+|binge|stunts?|dares?|pranks?|challenge|unprotected|diet|starv\w+|self|violen\w+|hate|crimes?|cult|fight"
    r"|money|password|bank|credit|personal information|nudes?|photos of|quit (?:school|taking)|hurt|stop taking"
    r"|medication)"
)
_PRIVATE: Final = (
    r"(?:home address|(?:personal |private |cell |mobile )?(?:phone|telephone) numbers?|social security(?: number)?|ssn"
    r"|credit cards?(?: (?:numbers?|details|information|cvv|score|history))?|bank (?:account|details|statement\w*"
    r"|balance)|cvv|medical (?:records?|history|conditions?)|health (?:records?|condition|status)|passport number"
    r"|passwords?|login (?:details|credentials|information)|whereabouts|sexual (?:orientation|history|preferences?"
    r"|partners?)|religio\w+|salary|income|criminal (?:record|history|background)|private (?:messages?|photos?|keys?"
    r"|life|information|conversations?)|personal (?:information|details|data|email|life|passwords?|bank|habits)"
    r"|marital status|affair|diagnos\w+|browsing history|dna|fingerprints?|tax returns?|license plate|pin(?: code"
    r"| number)?|insured|hiv|pregnan\w+|drug (?:use|addict\w*|test)|live now|political (?:views|affiliation))"
)
_UNTOLD: Final = (
    r"(?:confidential|classified|unreleased|unannounced|undisclosed|non-?public|secret|proprietary|internal|hidden"
    r"|covert|top-secret|leaked|private)(?: \w+){0,3} (?:information|documents?|data|files?|intelligence|reports?"
    r"|plans?|projects?|recipes?|formulas?|technolog\w+|codes?|operations?|research|products?|strateg\w+|algorithms?"
    r"|approach\w*|methods?|programs?|weapons?|agents?|bases?|negotiations?|agreements?|polic\w+|records?|memos?"
    r"|discussions?|deals?|processes|designs?|prototypes?|source code|missions?|activities|locations?)"
)
_WHOSE: Final = (
    r"(?:\b(?:of|for|from|about|does|did|has|is|where|who|was) (?:my|his|her|their|the|a|an|our)?\b|'s\b"
    r"|\b(?:your|my|his|her|their)\b)"
)
_GROUPS: Final = ((
    Sign("asks_for_crime", 0.9, Where.BOTH, rf"{_WANT}[^.!?\n]*\b{_ILL}\b"),
    Sign("crime", 0.4, Where.BOTH, rf"\b{_ILL}\b"),
    Sign("asks_for_falsehood", 0.9, Where.BOTH, rf"{_WANT}[^.!?\n]*\b{_FALSE}"),
    Sign("against_somebody", 0.9, Where.BOTH, rf"\b{_TURN} {_THEM}\b[^.!?\n]*\b{_RISKY}\b"),
    Sign("asks_against_somebody", 0.88, Where.BOTH, rf"{_WANT}[^.!?\n]*\b{_TURN} {_THEM}\b"),
    Sign("does_to_somebody", 0.66, Where.BOTH,
         r"\b(?:kill(?:ing|ed)?|murder(?:ing|ed)?|stab(?:bing|bed)?|strangl\w+|beat(?:ing)? up|rap(?:e|ed|ing)"
         rf"|tortur\w+|shoot(?:ing)?|slaughter\w*|behead\w*|choke\w*) (?:all (?:the )?)?{_THEM}\b"
         r"|\b(?:i will|i'll|i'm going to|gonna|we should|want to|wanna|deserves? to) (?:kill|murder|hurt|stab|shoot"
         r"|beat|destroy|rape|smash|die)\b"),
    Sign("unnoticed", 0.85, Where.BOTH,
         r"\b(?:in|into|at) (?:\w+ )?(?:rooms?|places?|areas?|buildings?|accounts?|files?) (?:that )?(?:i|we) (?:may"
         r"|must|can|am|are|should)"
         r" ?(?:not|n't)\b|\bwithout (?:getting caught|(?:being|getting) (?:caught|detected|noticed|traced|seen"
         r"|arrested)"
         r"|(?:any(?:one|body)|them|him|her|the police|my \w+|their) (?:\w+ )?(?:know\w*|notic\w+|asking|seeing"
         r"|checking|consent|permission"
         r"|realizing|finding out)|leaving (?:a |any )?(?:trace|evidence|fingerprints))"
         r"|\bget(?:ting)? away with\b|\bavoid (?:detection|getting caught|arrest|prosecution|the police)\b"
         r"|\b(?:bypass|evade|circumvent|get around|get past|disable|trick|fool|tamper\w* with|cheat)(?:ing)? "
         r"(?:\w+ ){0,3}(?:security|police|detection|law|airport|surveillance|alarms?|tax\w*|drug tests?|border"
         r"|age verification|anti-?virus|captcha|content filters?|polygraph|lie detector|customs|authorities"
         r"|two-factor|parental|paywall|drm|copyright|regulations?|background check|breathalyzer|plagiarism)\b"),
    Sign("self_harm", 0.85, Where.BOTH,
         r"\b(?:kill|hang|drown|hurt|harm|cut|starv\w+|shoot|poison)(?:ing)? (?:myself|yourself|themselves)\b"
         r"|\b(?:commit|committing|attempt\w*) suicide\b|\b(?:end|ending|take|taking) my (?:own )?life\b"
         r"|\bwant(?:ed)? to (?:die|disappear forever|not exist)\b|\bsuicide (?:methods?|notes?|pacts?)\b"
         r"|\bbetter off (?:dead|without me)\b|\bno (?:reason|point) (?:to|in) liv\w+|\bpro-?ana\b|\bthinspo\b"
         r"|\bpurg(?:e|ing) after\b|自杀|轻生|自残|割腕|不想活|活不下去|结束(?:自己的)?生命"),
    Sign("group_put_down", 0.86, Where.BOTH,
         rf"\b(?:why|are|aren't|is|do|don't|all|most|those|these|typical)\b[^.!?\n]*\b{_GROUP}\b[^.!?\n]*\b{_BAD}\b"
         rf"|\b{_GROUP} (?:are|is|have|were|always|only|just|never|can't|cannot|should|deserve)\b[^.!?\n]*\b{_BAD}\b"),
    Sign("jokes_about_group", 0.88, Where.BOTH,
         r"\b(?:(?:mak(?:e|ing)|pok(?:e|ing)) fun of|jokes?|insults?|slurs?|offensive|derogatory|stereotyp\w*"
         r"|mock\w*|demean\w*|toxic|rude|nasty|mean"
         r"|humiliating|abusive|hateful|degrading|ridicul\w+|discriminat\w+|prejudic\w+|racist|sexist|curse)\b"
         rf"[^.!?\n]*\b(?:about|toward\w*|against|for|of|to|on|at|regarding)\b[^.!?\n]*\b{_GROUP}\b"
         rf"|\b(?:hate|despise|exterminate|gas|deport|ban|eradicate|get rid of|kill) (?:all |the |those "
         rf"|these )?{_GROUP}\b"
         r"|\b(?:promot\w+|justif\w+|defend\w*|encourag\w+|advocat\w+|prais\w+|glorif\w+"
         r"|incit\w+)\b[^.!?\n]*\b(?:racis[mt]"
         r"|sexis[mt]|hatred|hate|white supremac\w+|nazi\w*|violence|discrimination|segregation|slavery|homophobia"
         r"|ethnic cleansing|xenophobia|antisemitism|eugenics|misogyny|terror\w*|suicide|self-harm|anorexia"
         r"|bully\w*)\b"),
    Sign("insults_somebody", 0.8, Where.BOTH,
         r"\b(?:insult|ridicule|(?:make|making) fun of|humiliate|belittle|taunt|demean)\b (?:\w+ ){0,2}(?:my"
         r"|our|his|her|their"
         r"|this|that|a)\b|\b(?:derogatory|offensive|foul|hurtful|cruel|nasty|vulgar|hateful) (?:terms?|words?"
         r"|names?|language"
         r"|jokes?|nicknames?|comments?|insults?|remarks?)\b[^.!?\n]*\b(?:for|about|to|at|toward\w*|against|on"
         r"|using)\b"),
    Sign("slur", 0.85, Where.BOTH,
         r"\bniggers?\b|\bniggas?\b|\bfaggots?\b|\bkikes?\b|\bchinks?\b|\bspics?\b|\btrann(?:y|ies)\b|\bretards?\b"
         r"|\bsubhumans?\b|\bwetbacks?\b|\btowelheads?\b|\bpakis?\b|\bgooks?\b|\bcunts?\b|\bdykes?\b|\bwhite trash\b"
         r"|\bkill yourself\b|\bkys\b|\byou (?:are|re) (?:a |an |such a )?(?:\w+ )?(?:idiot|moron|whore|slut|bitch"
         r"|pig|trash|scum|garbage|loser|disgrace|stupid|pathetic|worthless)\b|\b(?:stupid|dumb|filthy|dirty|fucking"
         r"|ugly) (?:bitch\w*|whores?|cunts?|jews?|muslims?|immigrants?|pigs?|animals?|fucks?|sluts?|asshole\w*)\b"
         r"|\bfuck (?:you|off|all|the|these|those)\b|\bpiece of shit\b"),
    Sign("hate", 0.6, Where.BOTH,
         r"\b(?:racists?|sexist|homophobic|transphobic|anti-?semit\w+|misogynist\w*|hateful|white supremac\w+"
         r"|neo-?nazis?"
         r"|nazis?|ethnic slurs?|hate speech|islamophobi\w+|xenophobi\w+|bigot\w*|final solution|race traitor\w*"
         r"|great replacement|white (?:genocide|power|pride)|master race|ethnostate|inferior race\w*|zionists?)\b"),
    Sign("sexual_heat", 0.4, Where.BOTH,
         r"\b(?:naked|nudes?|moan\w*|aroused?|arousal|erection|panties|thrust\w*|lust\w*|horny|wet"
         r"|bed(?:room)?|strip\w*"
         r"|undress\w*|kiss\w*|lick\w*|suck\w*|spank\w*|seduc\w+|slave|mistress|sexy|sex|sexual(?:ly)?)\b"),
    Sign("sexual_body", 0.5, Where.BOTH,
         r"\b(?:cock|pussy|dick|clit\w*|vagina\w*|penis\w*|nipples?|breasts?|boobs?|tits|ass|butt|crotch|groin|thighs?"
         r"|genitals?|balls|shaft|cum(?:ming|shot)?)\b"),
    Sign("gore", 0.4, Where.BOTH,
         r"\b(?:blood(?:y|ied)?|corpses?|dead bod(?:y|ies)|dismember\w*|behead\w*|decapitat\w+|mutilat\w+|skulls?|guts"
         r"|stabb\w+|slaughter\w*|massacr\w+|execut(?:ed|ions?)|screams?|screaming|bullets?|machete|knife|knives)\b"),
    Sign("sexual", 0.64, Where.BOTH,
         r"\b(?:porn\w*|erotic\w*|blow ?jobs?|masturbat\w+|orgasm\w*|cumming|cumshot"
         r"|horny|anal|oral sex|incest|bdsm|bondage|hentai|threesome"
         r"|dildo|vibrator|fetish\w*|kinky|slutty"
         r"|sex(?:ual)? (?:fantas\w+|acts?|intercourse|favou?rs|scenes?|positions?|slave|toys?|stor\w+|chat"
         r"|roleplay))\b"
         r"|\bfuck(?:ing|ed|s)? (?:me|her|him|hard|my)\b|\b(?:explicit|steamy|sensual)(?: \w+)? (?:story|scene|content"
         r"|sex\w*|chat|poem)\b|色情|裸体|裸照|做爱|性爱|淫|成人电影|约炮|一夜情|嫖|卖淫|性交|自慰|床照|性骚扰"),
), (
    Sign("asks_privacy", 0.3, Where.BOTH,
         rf"{_WHOSE}[^.!?\n]*\b{_PRIVATE}\b[^.!?\n]*\?|{_ASK}[^.!?\n]*\b{_PRIVATE}\b[^.!?\n]*\b(?:of|for|from|belong\w*"
         rf"|about) (?:my |the |a )?(?:ex|friend|neighbou?r|boss|colleague|co-?worker|celebrity|president|ceo"
         rf"|[a-z]+)\b"),
    Sign("asks_secrets", 0.8, Where.BOTH,
         rf"{_ASK}[^.!?\n]*\b{_UNTOLD}|\b(?:trade secrets?|launch codes?|nuclear codes?|state secrets?)\b"
         rf"|\b(?:does|is|are|do|did|has|have|who|when|where)\b[^.!?\n]*\b{_UNTOLD}"),
    # Chinese
    Sign("zh_asks", 0.92, Where.BOTH,
         r"(?:如何|怎么|怎样|怎麼|哪里|哪裡|哪些|哪个|什么|方法|办法|技巧|教我|教你|帮我|告诉我|请问|能不能|可以|推荐"
         r"|提供|写一|编写|编造|我想|我要|我需要|我打算|想要|应该)[^。！？\n]*"
         r"(?:偷|盗|骗|窃|诈|勒索|敲诈|威胁|恐吓|报复|伤害|殴打|虐|杀|毒|贩卖|走私|赌|洗钱|行贿|贿赂|收买|逃税"
         r"|漏税|避税"
         r"|伪造|造假|假冒|假钞|假证|假币|假货|仿冒|枪支|武器|炸弹|炸药|爆炸|入侵|黑客|破解|攻击|非法|违法|犯罪"
         r"|违规|走后门"
         r"|不被[^。！？\n]{0,4}(?:发现|抓|察觉|查)|躲避|逃避|规避|绕过(?:[^。！？\n]{0,12})(?:安全|检测|审|监|法律|防火墙|身份|验证|警|付费|限制|系统|密码|风控|门禁|海关|规定"
         r"|实名|过滤|杀毒|识别|许可|银行|封锁|要求)|躲过|避开(?:监|检|警|审)|机密|泄露|内幕"
         r"|侵犯|侵占|抄袭"
         r"|剽窃|盗版|作弊|代考|替考|谣言|造谣|诽谤|辱骂|侮辱|羞辱|欺负|欺凌|霸凌|骚扰|偷拍|跟踪|监听|窃听|监视"
         r"|潜入|闯入"
         r"|绑架|纵火|破坏|挑拨|煽动|操纵|操控|垄断|内幕交易|传销|高利贷|暗杀|自制|雇佣杀手|打手|代孕|卖淫|嫖|迷药|人肉"
         r"|赃物|销赃|恶意软件|社交工程|军火|军用装备|点燃|窥视|窥探|偷看|毒品|挪用公款|侵吞|贪污|做假账|围标"
         r"|串标|刷单|水军|灭口"
         r"|骗保|碰瓷|讹|抹黑|陷害|栽赃|冒名|套现|偷渡|地沟油|假药|偷排|迷晕|下药|强迫|逼迫|仇恨|歧视|(?:不受"
         r"|避免|免受|逃脱)[^。！？\n]{0,6}"
         r"(?:惩罚|处罚|制裁|追究)|获取(?:别人|他人|对方)|未经(?:同意|许可|授权)|曝光|前任的|别人的(?:隐私|信息"
         r"|密码|账号|照片)|他人(?:的)?(?:隐私|信息|密码|账号|身份|照片))"),
    Sign("zh_papers", 0.92, Where.BOTH,
         r"(?:别人|他人|(?:^|[^其吉])他们?|她|对方|受害|前任|[那这某]个?人|虚假|假的|冒[用充]|盗|偷|骗|窃|买|出售|贩|租|获取|泄露"
         r"|非法|要挟)[^。！？\n]*(?:身份证|银行卡)"
         r"|(?:身份证|银行卡)[^。！？\n]*(?:交易|出售|买卖|购买|倒卖|贩卖|盗|冒用|伪造|造假|骗|非法|套现)"),
    Sign("zh_crime", 0.86, Where.BOTH,
         r"偷拍|偷窃|盗窃|盗取|窃取|窃听|诈骗|骗取|勒索|敲诈|洗钱|行贿|受贿|贿赂|逃税|偷税|假钞|假币|伪造|假证"
         r"|贩毒|毒品|冰毒"
         r"|海洛因|大麻|枪支|炸弹|炸药|走私|赌场|赌博|非法(?:活动|手段|获取|集资|交易|途径|入侵)|黑客|木马"
         r"|钓鱼网站|破解密码"
         r"|入侵|人口贩卖|拐卖|绑架|谋杀|投毒|强奸|猥亵|家暴|虐待|虐杀|报复社会|恐怖袭击|极端组织|邪教|颠覆"
         r"|推翻政府|分裂国家"
         r"|煽动|暴动|造谣|诽谤|人肉搜索|盗版|剽窃|代考|作弊|泄露(?:机密|商业|公司|客户)|商业机密|内幕交易|传销"
         r"|色情|卖淫"
         r"|去死|杀了|弄死|打死|砍死|捅死"),
    Sign("zh_threat", 0.8, Where.BOTH,
         r"否则[^。！？\n]{0,16}(?:后果|麻烦|好看|不客气|公开|倒霉)|后果自负|别怪我|走着瞧|乖乖(?:地)?(?:告诉|交|听|把)"
         r"|最好(?:乖乖|老实|赶紧)|让(?:他|她|对方|前[男女]友|前[夫妻任]|某人|别人)[^。！？\n]{0,6}(?:身败名裂|生不如死|后悔|难堪|丢脸|倒霉|社死|好看)|不想让事情变得|让你(?:好看|后悔|生不如死|身败名裂)|小心你的(?:家人|孩子|狗命)"),
    Sign("zh_group", 0.88, Where.BOTH,
         r"(?:女人|女性|女生|女孩|男人|男性|男生|农民工?|乡下人|农村人|外地人|本地人|城里人|河南人|东北人"
         r"|上海人|北京人|广东人"
         r"|黑人|白人|黄种人|亚洲人|非洲人|印度人|日本人|韩国人|中国人|犹太人|穆斯林|回族|少数民族|藏族|维族"
         r"|同性恋|残疾人?|残障"
         r"|穷人|富人|有钱人|老人|老年人|胖子|肥胖|矮子|打工人|打工仔|保姆|服务员|清洁工|外卖员|快递员|单身"
         r"|离婚|大龄|剩女|基督徒"
         r"|信教|宗教|民族|种族|地域|学历低|低学历|精神病|精神不正常|抑郁症|艾滋病|患者|学渣|差生)[^。！？\n]*"
         r"(?:都是|就是|只会|只能|不配|天生|不应该|不该|不如|低人一等|低等|劣等|低贱|下贱|素质|丑|懒|脏|笨|蠢"
         r"|傻|没用|无能|没脑子"
         r"|肮脏|愚昧|愚蠢|落后|野蛮|危险|小偷|罪犯|不可靠|靠不住|骗子|虚伪|贪婪|自私|小气|矫情|恶心|讨厌|歧视"
         r"|嘲笑|滚|远离|淘汰"
         r"|拖累|负担|拖后腿|没(?:有)?(?:资格|文化|教养|出息|前途|能力)|不行|缺乏|怨天尤人|没素质|不文明|祸害"
         r"|蛀虫|排斥|瞧不起|看不起|控制不了|头脑简单|勾引|拜金)"),
    Sign("zh_insult", 0.8, Where.BOTH,
         r"傻逼|傻子|蠢货|废物|贱人|婊子|垃圾|滚蛋|去死|劣等|猪狗|人渣|畜生|白痴|智障|娘炮|舔狗|下贱|无耻|脑残"
         r"|恶心|丑八怪|神经病"
         r"|变态|狗东西|王八|他妈|妈的|操你|狗屁|弱智|贱货|老不死|不要脸|窝囊|丢人现眼|猪脑|笨蛋|矮穷|土包子"
         r"|乡巴佬|死胖子"),
    Sign("zh_privacy", 0.86, Where.BOTH,
         r"(?:前任|前女友|前男友|别人|他人|邻居|妻子|丈夫|明星|朋友|[某那这]个?人|(?:^|[^其吉])他|她|对方)"
         r"[^。！？\n]*(?:家庭住址|住址|身份证号?|银行卡|账户|余额|手机号|通话记录|聊天记录|短信|微信|信用卡"
         r"|个人信息|隐私|行踪"
         r"|定位|密码|病历|病史|房产|收入|工资|外遇|婚外情|开房记录|照片|监控|性取向|怀孕|日记)"
         r"|(?:同事|老板|孩子|客户|员工)[^。！？\n]*(?:通话记录|聊天记录|行踪|外遇|婚外情|开房记录|性取向|日记|秘密)"),
))
"""Those of one group are read together: see `Signs`."""
UNSAFE: Final = tuple(chain.from_iterable(_GROUPS))
_RELIEVES: Final = re2.compile(
    r"\b(?:prevent\w*|protect\w*|detect\w*|report(?:ing)? (?:a|an|the|it|this|someone|abuse|fraud|crime|phishing)"
    r"|recogni[sz]e|stop (?:being|someone from|people from|my|the|bullying)|avoid (?:being|getting|becoming|falling)"
    r"|(?:was|were|been|got|gets|is|are|being) (?:stolen|hacked|robbed|scammed|phished|harassed|bullied"
    r"|blackmailed|stalked)"
    r"|stolen (?:from me|card|phone|laptop|bike|wallet|device)|spreads|exercise|policy (?:on|against|for)"
    r"|(?:block|prohibit|forbid|refus|deny|denie|log|detect|flag)(?:ing|s|ed)? (?:\w+ )?(?:unauthori[sz]ed|fraud\w*)"
    r"|definition|define|history of|historical|victims? of|survivors?|recover\w*|awareness|raise money|quit"
    r"|quitting|deal with|cope with|coping|warning signs|defend against|fight against|combat\w*|punish\w*|penalt\w+"
    r"|why is it (?:illegal|wrong|bad)|why (?:was|did)|what (?:is|are) the (?:legal|punishment|risks?|dangers?|laws?"
    r"|symptoms|effects|consequences)|who (?:was|shot|killed|assassinated)|in (?:minecraft|fortnite|call of duty|gta"
    r"|the (?:movie|film|game|book|novel)|a video ?game|python|linux|java|unix|c\+\+|excel)|python|linux|process(?:es)?"
    r"|(?:java|c|c\+\+|php|rust|javascript|perl|sql) (?:program|function|code|script|class)|ip addresses"
    r"|fictional|video games?|baseball|football|judo|boxing|chess|wrestling|on stage|novels?|movies?|films?|attackers"
    r"|(?:a|my|the|this) book|board games?|minecraft|jokes? themselves|cook\w*|recipes?|weeds|mosquito\w*|cockroach\w*"
    r"|time|lights?|engine|party|crush (?:a|my) (?:exam|interview))\b"
    r"|防止|预防|避免被|举报|防范|识别|保护(?:自己|孩子|隐私|个人)|反诈|反对|戒|治疗|维权|进程|程序|端口|服务器"
    r"|缓存|病毒软件|法律规定|处罚|如何应对|历史上"
    r"|\b(?:post-?mortems?|incident reports?|root cause|reminders?|security advisory)\b"
    r"|\bhow (?:the |that |this |our |an? |these |those )?(?:[\w-]+ ){1,6}(?:worked|happened|came about|was (?:possible"
    r"|found|fixed|closed))\b|\b(?:is|are) (?:not allowed|not permitted|forbidden|prohibited|against (?:the|our) \w+)\b"
)
_EVERYDAY: Final = re2.compile(
    r"(?:杀|消)毒|攻击性|(?:破解|攻克)(?:[这该此][个道一]?)?(?:难题|谜|困[境局]|瓶颈)|曝光[率量度]"
    r"|(?:跟踪|追踪|监视)(?:一下)?(?:项目|进[度展]|订单|包裹|快递|问题|任务|缺陷|物流|工单|指标|日志)"
    r"|被(?:盗|偷|骗|攻击|入侵|勒索|骚扰|欺负|霸凌|歧视|威胁|抄袭)|违规(?:停车|报销|记录|提醒|操作)|毒性"
    r"|\b(?:disabl|mut|silenc)\w+ (?:the |this |that |an? )?(?:\w+ )?alarms? (?:on|of|for|in) (?:the|our|an?) \w+"
    r"|\bharassment (?:trainings?|course\w*|polic\w+|officers?|complaints?|reports?)"
    r"|\bsexual harassment (?:trainings?|course\w*|polic\w+|officers?|complaints?|reports?)"
)
"""Words of harm in an everyday sense, or of harm that was done to whoever asks."""


@lru_cache(maxsize=1)
def unsafe_signs() -> Signs:
    return Signs(_GROUPS)


@lru_cache(maxsize=8)               # several guards read one message
def harm(plain: str) -> Suspicion:
    """How likely a normalised text asks for harm or does it.

    Half as likely where harm is kept away, where its history or its meaning is asked for, in games and on machines.
    """
    found = sentencewise(unsafe_signs(), plain)
    if found.score and _EVERYDAY.search(plain.encode()):
        found = sentencewise(unsafe_signs(), _EVERYDAY.sub("", plain))
    if found.score and _RELIEVES.search(plain.encode()):
        return Suspicion(found.score / 2, found.rule)
    return found
