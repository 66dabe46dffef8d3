"""Comments that teach nothing: why a review comment is no Example, read from its words and its author.

The rules are few and narrow on purpose. On 239,951 public review comments such rules removed under 8 %: what a team
acted on is told by git, not by words. Short comments and nits are the ones most often obeyed, and many houses phrase
demands as questions ("How about …?"), so neither is noise.
"""

import re

from app.domain.base import Record

#: Fewer characters than this, without code and mentions, say nothing that carries over to other code.
SHORTEST = 8

_BOT_LOGIN = re.compile(
    r"\[bot\]$|(^|-)bot(-|\d*$)|^(codeclimate|codecov(-io)?|dependabot|renovate|coveralls)\b", re.IGNORECASE
)
_MENTION = re.compile(r"(?<![\w`/])@[\w-]+(/[\w-]+)?[,:]?")
_FENCE = re.compile(r"```.*?(```|\Z)", re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*\S+?\s*\)|<?https?://\S+>?")
_QUOTE = re.compile(r"^\s*>.*$", re.MULTILINE)
_EMOJI_NAME = re.compile(r":[a-z0-9_+-]+:", re.IGNORECASE)
_NOT_WORD = re.compile(r"[^\w\s?]", re.UNICODE)

_THANKS = (
    r"thanks?( you| u)?( so much| a lot| again)?|thx|ty|(special )?thanks (for|to)\b.*|nice( one| catch| work| job| idea)?|"
    r"good( one| catch| work| job| idea| point| to know| call)?|great( work| job| idea| point| catch| stuff)?|"
    r"awesome|cool|perfect|excellent|wonderful|love(ly)?( it| this)?|(i )?like (it|this|that)( a lot| very much)?|neat|"
    r"well done|kudos|lgtm|looks? (good|great|nice|fine|ok|okay)( to me| now)?|sounds? (good|great|fine)( to me)?|"
    r"makes? sense( to me)?|agreed?|i agree( with .*)?|right|yes|yep|yeah|no|nope|ok(ay)?|sure|done|fixed|ack|got it|"
    r"i see|understood|never ?mind|nvm|my bad|oops|sorry|you are right|youre right|same opinion|1|100"
)
_ACKNOWLEDGEMENT = re.compile(
    rf"^(({_THANKS}|for (this|that|the|your|fixing|catching|doing)\b.*|as well|too|it|this|now|here)(\s|$))+$"
)
_REFERENCE = re.compile(
    r"^(and )?(ditto|same( here| there| as above| thing| comment| issue| problem)?|(the )?same (here|as (above|below|before|previous\b.*))|"
    r"here (as well|too)|here and below|likewise|see above|as above|again|1)$"
)
_ASKS = re.compile(
    r"^(question )?(so |and |but |just |hm+ |wait |btw |sorry |curious |just curious )*"
    r"(why(?! not\b)(?! (do ?n.?t|does ?n.?t|wo ?n.?t|ca ?n.?t|not)\b)|what(?! about)|when|where|who|which|how(?! about)|"
    r"is (it|this|that|there|the|he|she)|are (these|those|they|there|you|we)|does|did|was|were|has|have|"
    r"(could|can|would|will) you (please )?(explain|clarify|elaborate|tell|describe why))\b"
)
_DEMANDS = re.compile(
    r"\b(should|shouldn.?t|could|couldn.?t|would|wouldn.?t|can|can.?t|must|need|needs|needed|better|instead|maybe|perhaps|"
    r"prefer|please|add|remove|rename|move|use|using|extract|replace|reuse|inline|drop|delete|change|fix|make|split|test|tests|"
    r"missing|typo|todo|possible|necessary|required|redundant|unused|correct|right|intended|intentional|wrong|want|supposed|"
    r"nit|wdyt|thoughts)\b"
)
_EXPLAIN = re.compile(r"\b(could|can|would|will) you (please )?(explain|clarify|elaborate|tell)\b")


class Noise(Record):
    """`reason` is a stable word; `detail` says it to a person."""

    reason: str
    detail: str


def decide_bot(login: str, account_type: str) -> bool:
    """A machine wrote it: by GitHub's account type, or by the names that machines with user accounts go by."""
    return account_type == "Bot" or _BOT_LOGIN.search(login) is not None


def decide_noise(body: str) -> Noise | None:
    """Why the words of a comment teach nothing, None when they may. Never looks at who wrote it."""
    if "```suggestion" in body:
        return None
    text = _MENTION.sub(" ", body).strip()
    if _LINK.search(text) and not _words(_LINK.sub(" ", text)):
        return Noise(reason="link_only", detail="the comment is a bare link")
    if _CODE.search(text) or _FENCE.search(text):
        return None  # names code: short or not, it points at something
    words = _words(_LINK.sub(" ", _QUOTE.sub(" ", text)))
    if not words or _ACKNOWLEDGEMENT.match(words):
        return Noise(reason="praise", detail="the comment acknowledges or praises and asks for nothing")
    if len(words) < SHORTEST or _REFERENCE.match(words.rstrip("? ")):
        return Noise(reason="too_short", detail="the comment says nothing without another one beside it")
    if _asks_only(text):
        return Noise(reason="question_only", detail="the comment asks for information, not for a change")
    return None


def _words(text: str) -> str:
    """Lower-case words and question marks, everything else gone."""
    return re.sub(r"\s+", " ", _NOT_WORD.sub(" ", _EMOJI_NAME.sub(" ", text)).replace("_", " ")).strip().lower()


def _asks_only(text: str) -> bool:
    """Every sentence is a question that opens like a request for information and names nothing to do."""
    sentences = [part.strip() for part in re.split(r"(?<=[.?!])\s+|\n+", _EMOJI_NAME.sub(" ", text)) if _words(part)]
    if not sentences or not all(sentence.endswith("?") for sentence in sentences):
        return False
    words = _words(text)
    return _ASKS.match(words) is not None and _DEMANDS.search(_EXPLAIN.sub(" ", words)) is None
