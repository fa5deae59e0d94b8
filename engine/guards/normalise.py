"""One way of writing for each text, so that a disguise does not help.

Everything here is pure and linear. `normalise` works character by character: compatibility forms, case, look-alike
letters, accents, kinds of blanks and dashes, and traditional characters are each replaced by the plainest, and what
cannot be seen is dropped. So it is idempotent, and a place in the result can be traced back. `letters` goes on to
leave out everything but letters and digits. `variants` decodes one level of the usual encodings, if what comes out
can be read.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final
from urllib.parse import unquote_to_bytes

import re2

from engine.guards.gates import Gate, spans

MAX_SCANNED: Final = 32_768
"""Characters from the start, and a quarter of that from the end, in which encodings are looked for."""
LONG: Final = 8_192
"""Characters from which on a guard reads off the event loop."""
_LONGEST: Final = 8             # characters that one may become; a single ligature holds a whole blessing

# Letters of other scripts that are drawn like a Latin one.
_ALIKE: Final = dict(zip(
    "АВЕКМНОРСТУХІЈЅҺԌԚԜавекмнорстухіјѕһԁԛԝѵӏьүԍ"
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχγωη"
    "օսհոցɑɡɩıɪʟᴀʙᴄᴅᴇꜰɢʜᴊᴋᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢłøđħƚɵʋɯ∣ǀ",
    "ABEKMHOPCTYXIJSHGQWabekmhopctyxijshdqwvlbyg"
    "ABEZHIKMNOPTYXabeikvoptuxywn"
    "ouhngagiiilabcdefghjkmnoprstuvwyzlodhlovwll",
    strict=True,
))
_ENCLOSED: Final = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))    # letters in black discs and boxes, and of flags
_MARKS: Final = re.compile(      # accents, and what chooses between drawings of one letter
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)
_SINGLE_QUOTES: Final = "\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`"
_DOUBLE_QUOTES: Final = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u300c\u300d\u300e\u300f"
_BREAKS: Final = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# Traditional and simplified, in turn: the characters that modern texts are made of.
_CHARACTERS: Final = (
    "萬万與与專专業业東东絲丝兩两嚴严喪丧個个豐丰臨临為为麗丽舉举義义烏乌樂乐喬乔習习鄉乡書书買买亂乱爭争虧亏雲云亞亚產产畝亩親亲億亿僅仅從从倉仓儀仪們们價价眾众優优夥伙會会傘伞偉伟傳传傷伤倫伦偽伪體体傭佣"
    "僑侨偵侦側侧債债傾倾償偿儲储兒儿黨党蘭兰關关興兴養养獸兽內内岡冈冊册寫写軍军農农馮冯決决況况凍冻淨净減减湊凑幾几鳳凤憑凭凱凯擊击鑿凿則则剛刚創创刪删別别劃划劉刘劇剧勸劝辦办務务動动勵励勁劲勞劳勢势勳勋"
    "勝胜區区醫医華华協协單单賣卖盧卢衛卫廠厂廳厅歷历厲厉壓压厭厌廁厕參参雙双發发變变敘叙葉叶號号嘆叹嚇吓後后嗎吗聽听啟启吳吴嘔呕員员嗚呜詠咏響响啞哑嘩哗喚唤嘯啸噴喷團团園园圍围國国圖图圓圆聖圣場场壞坏塊块"
    "堅坚壇坛壩坝墳坟墜坠壟垄壘垒墾垦牆墙壯壮聲声殼壳處处備备複复夠够頭头誇夸奪夺奮奋獎奖奧奥婦妇媽妈嫵妩嬌娇娛娱嬰婴孫孙學学寧宁寶宝實实寵宠審审憲宪宮宫寬宽賓宾對对尋寻導导壽寿將将爾尔塵尘嘗尝堯尧屍尸盡尽"
    "層层屜屉屆届屬属歲岁豈岂崗岗島岛嶺岭峽峡嶄崭巖岩幣币帥帅師师帳帐帶带幫帮幹干並并廣广莊庄慶庆應应廟庙龐庞廢废開开異异棄弃張张彌弥彎弯彈弹強强歸归當当錄录徹彻徑径憶忆憂忧懷怀態态憐怜總总戀恋惡恶惱恼悅悦"
    "懸悬驚惊懼惧慘惨懲惩憤愤願愿慣惯懶懒戲戏戰战戶户撲扑執执擴扩掃扫揚扬擾扰撫抚拋抛搶抢護护報报擔担擬拟擁拥攔拦擇择掛挂揮挥損损換换據据擄掳摻掺攝摄擺摆搖摇攤摊撐撑敵敌數数齋斋鬥斗斬斩斷断無无舊旧時时曠旷"
    "曆历曬晒曉晓暈晕暫暂術术樸朴機机殺杀雜杂權权條条來来楊杨極极構构槍枪樣样棟栋樹树棲栖橋桥檔档樁桩夢梦檢检樓楼歡欢歐欧殘残殲歼毀毁畢毕斃毙氣气漢汉湯汤洶汹溝沟滬沪滄沧淚泪潑泼澤泽潔洁濁浊測测濟济瀏浏濃浓"
    "塗涂濤涛漲涨淵渊漸渐漁渔滲渗溫温遊游灣湾濕湿潰溃滾滚滿满濾滤濫滥濱滨灘滩潛潜瀾澜瀕濒滅灭燈灯靈灵災灾燦灿爐炉點点煉炼爛烂煙烟煩烦燒烧燙烫熱热愛爱爺爷牽牵犧牺狀状猶犹獨独獄狱獅狮獲获獵猎豬猪貓猫獻献環环"
    "現现瑪玛電电畫画暢畅療疗瘋疯瘡疮癢痒癡痴癮瘾癱瘫癥症盜盗盤盘監监蓋盖睜睁瞞瞒矯矫礦矿碼码磚砖確确礎础碩硕禮礼禍祸禱祷離离種种積积稱称穩稳窮穷竊窃窩窝競竞筆笔筍笋築筑簡简籌筹簽签籠笼籃篮糧粮緊紧糾纠紅红"
    "約约級级紀纪純纯綱纲納纳縱纵紛纷紙纸紐纽線线組组細细織织終终紹绍經经結结繞绕繪绘給给絡络絕绝統统絹绢繼继續续績绩緒绪繩绳維维綿绵綜综綠绿緩缓編编緣缘縮缩繳缴網网羅罗罰罚罷罢聯联聰聪職职聳耸肅肃腸肠膚肤"
    "腎肾腫肿脹胀脅胁膽胆腦脑臉脸膠胶臟脏膿脓艦舰艙舱艷艳藝艺節节蘆芦蘇苏蘋苹範范莖茎薦荐蕩荡榮荣藥药萊莱蓮莲營营蕭萧薩萨蔣蒋藍蓝蘊蕴虛虚蟲虫雖虽蝦虾蝕蚀螞蚂蠻蛮補补襯衬襲袭裝装褲裤見见觀观規规視视覺觉覽览"
    "觸触譽誉計计訂订認认討讨讓让訓训議议訊讯記记講讲諱讳許许論论訟讼設设訪访證证評评詞词試试詩诗誠诚話话誕诞詢询該该詳详語语誤误說说誦诵請请諸诸諾诺讀读課课誰谁調调談谈諒谅謀谋謊谎謂谓謎谜謙谦謝谢謠谣譯译"
    "譴谴識识譜谱貝贝負负財财責责賢贤敗败賬账貨货質质貪贪購购貫贯貴贵貸贷貿贸費费賀贺賊贼資资賭赌賴赖賺赚賽赛贊赞贈赠趙赵趕赶趨趋躍跃踐践蹤踪車车軌轨軒轩轉转輪轮軟软轟轰輕轻載载較较輔辅輛辆輩辈輝辉輯辑輸输"
    "轄辖轎轿辭辞辯辩邊边遼辽達达遷迁過过邁迈運运還还這这進进遠远違违連连遲迟適适選选遜逊遞递邏逻遺遗鄧邓鄭郑鄰邻鄒邹醞酝醬酱釀酿釋释裡里針针釘钉鈣钙鈔钞鋼钢鑰钥欽钦鈞钧鉤钩鈕钮錢钱鉗钳鐵铁鈴铃鉛铅銅铜鋁铝"
    "銀银鋪铺銷销鎖锁鋒锋錯错錫锡錘锤錦锦鍵键鋸锯鍛锻鎮镇鏡镜鏈链鐘钟長长門门閃闪閉闭問问閑闲間间悶闷閘闸鬧闹聞闻閣阁閱阅闊阔隊队陽阳陰阴陣阵階阶際际陸陆陳陈險险隨随隱隐難难霧雾靜静韋韦韓韩頁页頂顶項项順顺"
    "須须顧顾頓顿頒颁預预領领頗颇頸颈頻频題题顏颜額额顛颠顯显風风飛飞飢饥飯饭飲饮飾饰飽饱餅饼餓饿餘余館馆饒饶馬马馱驮馳驰驅驱駁驳駐驻駕驾駛驶駱骆驗验騎骑騙骗騷骚騰腾驟骤髮发鬆松魚鱼魯鲁鮮鲜鯨鲸鳥鸟雞鸡鳴鸣"
    "鴨鸭鴻鸿鵝鹅鷹鹰麥麦黃黄齊齐齒齿齡龄龍龙龜龟臺台鬱郁衝冲係系繫系穀谷麵面製制鹼碱隻只閏闰闆板標标準准嶽岳檯台壺壶滯滞灑洒滌涤澆浇渾浑溼湿淺浅潤润瀟潇爍烁牘牍狹狭瑣琐甦苏痙痉盪荡眞真矚瞩碭砀祿禄稅税穌稣"
    "竄窜竅窍篩筛籲吁糶粜紮扎絆绊縣县縛缚繡绣羨羡翹翘聾聋膩腻艱艰莢荚萵莴蒼苍蔔卜蔭荫蘿萝虜虏蝸蜗螢萤蟻蚁蠟蜡衊蔑襖袄訃讣訛讹訝讶訣诀詐诈詔诏詛诅詫诧詭诡誌志誘诱誣诬誨诲諂谄諜谍諧谐諮咨諷讽謗谤謬谬謹谨譏讥"
    "譚谭讚赞豎竖賄贿賜赐賠赔賦赋贓赃贏赢贖赎軋轧軸轴輻辐轍辙逕径鄲郸醜丑銳锐鋤锄錶表鎊镑鎔熔鏟铲鐮镰鑄铸鑑鉴鑒鉴鑽钻閥阀閩闽閻阎闖闯闡阐闢辟陝陕隸隶雛雏霽霁靄霭靦腼韌韧韻韵頌颂頑顽頰颊頹颓顆颗顫颤颱台飄飘"
    "餃饺餌饵餡馅饋馈饑饥馴驯駝驼駭骇驕骄驢驴骯肮髒脏鬍胡鱗鳞鳩鸠鴿鸽鵬鹏鶴鹤鹽盐麼么黌黉黴霉鼴鼹於于裏里爲为説说麽么衆众啓启恆恒牠它妳你喫吃週周註注祕秘佈布佔占併并嚐尝姦奸彙汇匯汇捨舍採采昇升淒凄籤签纔才"
    "藉借讎仇迴回鉅巨閒闲颳刮餵喂鬚须麪面緻致証证滙汇羣群峯峰蹟迹跡迹姪侄傢家僱雇牀床類类嚮向暱昵纖纤竈灶鑲镶鏽锈鍊链鍋锅鍍镀釣钓鈉钠鉀钾鋰锂鎂镁銘铭瞭了沖冲汙污僞伪脣唇鷺鹭鶯莺鷗鸥鴉鸦鵲鹊鸚鹦鵡鹉鴛鸳鴦鸯鵑鹃"
)
_SIMPLE: Final = dict(zip(_CHARACTERS[::2], _CHARACTERS[1::2], strict=True))
_SIMPLER: Final = str.maketrans(_SIMPLE)


@lru_cache(maxsize=16_384)
def fold(char: str) -> str:
    """One character as it is compared; nothing for one that is not seen. What comes out folds to itself."""
    folded, before = _once(char), char
    while folded != before:
        folded, before = "".join(map(_once, folded)), folded
    return folded[:_LONGEST]


_SIGNS: Final = {
    **dict.fromkeys(_SINGLE_QUOTES, "'"), **dict.fromkeys(_DOUBLE_QUOTES, '"'), **dict.fromkeys(_BREAKS, "\n"),
    "\t": " ", "\n": "\n",
    **{chr(start + n): chr(ord("a") + n) for start, count in _ENCLOSED for n in range(count)},
}
_KINDS: Final = {
    "Cc": "", "Cf": "",         # controls, joiners, soft hyphens, marks of direction: nothing that is seen
    "Cs": "\ufffd",             # half of a pair is no character, and cannot leave the process
    "Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n",
}


def _once(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    if char.isascii() and char.isprintable():
        return char.lower()
    if (kind := unicodedata.category(char)) in _KINDS:
        return _KINDS[kind]
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", char))
    plain = "".join(_ALIKE.get(c, c) for c in plain).casefold()
    plain = "".join(_SIMPLE.get(c) or _ALIKE.get(c, c) for c in plain)
    return unicodedata.normalize("NFC", plain)


@lru_cache(maxsize=16_384)
def letter(char: str) -> str:
    """What is left of one character when only letters and digits are compared; often nothing."""
    return "".join(c for c in fold(char) if c.isalnum())


def simplified(text: str) -> str:
    """Traditional characters as simplified ones, all else as it is."""
    return text if text.isascii() else text.translate(_SIMPLER)


def written(simple: str) -> str:
    """The characters that may stand for a simplified one: itself, and its traditional forms."""
    return simple + "".join(chr(code) for code, plain in _SIMPLER.items() if plain == simple)


class _Table(dict[int, str | int]):
    """For ``str.translate``: what each character becomes, found out once."""

    def __init__(self, folding: Callable[[str], str]) -> None:
        super().__init__()
        self._folding = folding

    def __missing__(self, code: int) -> str | int:
        """Numbers for single characters are faster than strings."""
        plain = self._folding(chr(code))
        if len(self) >= _MOST:
            self.clear()                # somebody sends all of Unicode
        value = self[code] = ord(plain) if len(plain) == 1 else plain
        return value


_MOST: Final = 16_384
_FOLDED: Final = _Table(fold)
_LETTERS: Final = _Table(letter)


_OTHER: Final = re.compile(rb"([\x80-\xff]+)")
_ASCII: Final = bytes(ord(fold(chr(code)) or " ") for code in range(128)) + bytes(range(128, 256))
_UNSEEN: Final = bytes(code for code in range(128) if not fold(chr(code)))
_OF_ASCII: Final = bytes(range(128))
_FEW: Final = 24                # different other characters; of more it is quicker to look at each stretch of them,
_APART: Final = 128             # and of more stretches, at each character


@lru_cache(maxsize=8)               # several guards read one message
def normalise(text: str) -> str:
    """The text as rules read it. Never holds a lone surrogate; at most eight times as long, usually shorter."""
    if text.isascii():
        return text.encode("ascii").translate(_ASCII, _UNSEEN).decode("ascii")
    raw = text.encode("utf-8", "surrogatepass").translate(_ASCII, _UNSEEN)
    others = set(raw.translate(None, _OF_ASCII).decode("utf-8", "surrogatepass"))
    if len(others) <= _FEW:             # quotation marks, dashes, a few letters: what they become folds to itself
        plain = raw.decode("utf-8", "surrogatepass")
        for char in others:
            plain = plain.replace(char, fold(char))
        return plain
    parts = _OTHER.split(raw, _APART)   # in turn: ASCII, and others
    for number in (*range(1, len(parts), 2), 2 * _APART):
        if number < len(parts):
            parts[number] = parts[number].decode("utf-8", "surrogatepass").translate(_FOLDED).encode()
    return b"".join(parts).decode()


def letters(text: str) -> str:
    """Only letters and digits of the normalised text."""
    return text.translate(_LETTERS)


@dataclass(frozen=True, slots=True)
class Places:
    """Where each character of a folded text stood in the original."""

    ends: Sequence[int]         # of the folded text behind each character of the original

    @staticmethod
    def of(text: str, *, only_letters: bool = False) -> Places:
        """For `normalise`, or for `letters`. Costs more than the folding itself: only worth it after a find."""
        folding = letter if only_letters else fold
        sizes = {char: len(folding(char)) for char in set(text)}
        if all(size == 1 for size in sizes.values()):       # nearly always: each stands where it stood
            return Places(range(1, len(text) + 1))
        return Places(tuple(accumulate(map(sizes.__getitem__, text))))

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original that became characters ``start`` to ``end``, which must not be empty."""
        return bisect_right(self.ends, start), bisect_right(self.ends, end - 1) + 1


# --- decoding


@dataclass(frozen=True, slots=True)
class Variant:
    """What a stretch of a text says when it is decoded."""

    kind: str                   # "base64" | "hex" | "url" | "rot13" | "tags"
    text: str
    start: int                  # of the encoded stretch
    end: int


_BASE64: Final = re.compile(
    r"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{16,}(?:\r?\n[A-Za-z0-9+/_\-]{16,})*={0,2}"
)
_HEX: Final = re.compile(r"(?<![0-9A-Fa-f])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,]?){8,}")
_HEX_SIGNS: Final = re.compile(r"0x|\\x|[ :,]")
_URL: Final = re.compile(r"(?:%[0-9A-Fa-f]{2}[^\s%]{0,64}){3,}")
_TAGS: Final = re.compile("[\U000e0020-\U000e007e]{4,}")
_ROTATED: Final = re.compile(
    r"\b(?:" + "|".join(codecs.encode(word, "rot13") for word in (
        "the", "and", "you", "your", "all", "ignore", "previous", "instructions", "prompt", "system", "this", "that",
        "with", "tell", "give", "write", "print", "reveal", "password", "secret", "how", "make", "rules", "please",
        "repeat", "above", "forget", "what", "follow", "from", "answer", "can", "show", "user", "message", "are",
    )) + r")\b",
    re.IGNORECASE,
)
_VOWELS: Final = frozenset("aeiouyAEIOUY")
_AT_ALL: Final = {kind: Gate(pattern) for kind, pattern in (
    ("base64", r"[A-Za-z0-9+/_\-]{16}"), ("hex", r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,]?){8}"),
    ("url", r"(?:%[0-9A-Fa-f]{2}[^\s%]*){3}"), ("tags", "[\U000e0020-\U000e007e]{4}"),
    ("rot13", f"(?i){_ROTATED.pattern}"),
)}
_RUN: Final = re2.compile(r"[A-Za-z0-9+/_\-]{16,}")


@lru_cache(maxsize=8)
def variants(text: str) -> tuple[Variant, ...]:
    """Decoded stretches that can be read, in order of their kind, one level deep.

    Looks at the head and the tail of a long text, and there at every stretch: whoever could use up a limit with
    harmless ones would hide another behind them. Nothing becomes longer by being decoded, so that is bound enough.
    """
    return tuple(_decoded(text))


def _decoded(text: str) -> Iterator[Variant]:
    for base, part in _parts(text):
        for kind, find, decode in _WAYS:
            for match in find(part) if _AT_ALL[kind].open(part) else ():
                said = decode(match.group())
                if said and readable(said):
                    yield Variant(kind, said, base + match.start(), base + match.end())
        if _AT_ALL["rot13"].open(part) and len({found.lower() for found in _ROTATED.findall(part)}) >= 2:
            said = codecs.encode(part, "rot13")
            yield Variant("rot13", said, base, base + len(said))


def _runs(part: str) -> Iterator[re.Match[str]]:
    """The matches of `_BASE64`: RE2 finds the long runs of such letters, of which most texts have a few at most."""
    at = 0
    for start, _ in spans(_RUN, part):
        if start >= at and (found := _BASE64.match(part, start)):
            at = found.end()
            yield found


def _parts(text: str) -> Iterator[tuple[int, str]]:
    tail = MAX_SCANNED // 4
    yield 0, text[:MAX_SCANNED]
    if len(text) > MAX_SCANNED:
        start = max(MAX_SCANNED, len(text) - tail)
        yield start, text[start:]


def _from_base64(run: str) -> str:
    clean = re.sub(r"[\r\n=]", "", run).replace("-", "+").replace("_", "/")
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    try:
        return _text(base64.b64decode(clean + "=" * (-len(clean) % 4)))
    except (binascii.Error, ValueError):
        return ""


def _from_hex(run: str) -> str:
    try:
        return _text(bytes.fromhex(_HEX_SIGNS.sub("", run)))
    except ValueError:
        return ""


def _from_url(run: str) -> str:
    return _text(unquote_to_bytes(run.encode("utf-8", "replace")))     # half of a pair is no character


def _from_tags(run: str) -> str:
    """Letters for machines only: each shadows an ASCII character and is not drawn."""
    return "".join(chr(ord(char) - 0xE0000) for char in run)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return ""


_WAYS: Final = (("base64", _runs, _from_base64), ("hex", _HEX.finditer, _from_hex), ("url", _URL.finditer, _from_url),
                ("tags", _TAGS.finditer, _from_tags))


def readable(text: str) -> bool:
    """Whether somebody could have written this: mostly letters and blanks, and among Latin ones enough vowels."""
    size = len(text)
    if size < 6 or sum(char.isprintable() or char in "\r\n\t" for char in text) < size:
        return False
    alphabetic = [char for char in text if char.isalpha()]
    if len(alphabetic) + text.count(" ") + text.count("\n") < 0.75 * size:
        return False
    latin = [char for char in alphabetic if char.isascii()]
    if len(latin) < 0.5 * len(alphabetic):
        return True
    return 0.2 * len(latin) <= sum(char in _VOWELS for char in latin) <= 0.7 * len(latin)
