"""Comments that teach nothing: why a review comment is no Example, read from its words and its author.

The rules are few and narrow on purpose. On 239,951 public review comments such rules removed under 8 %: what a team
acted on is told by git, not by words. Short comments and nits are the ones most often obeyed, and many houses phrase
demands as questions ("How about …?"), so neither is noise.
"""

import re

from app.domain.base import Record

#: Fewer characters than this, without code and mentions, say nothing that carries over to other code.
SHORTEST = 8
#: Characters of a body that are looked at: strangers write bodies, and nothing worth a rule comes later than that.
LONGEST = 4_000

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

_THANKS_FOR = r"(special )?thanks (for|to) (this|that|the|your|fixing|catching|doing)( \w+){0,2}"
_PRAISE = (
    r"thanks?( you| u)?( so much| a lot| again)?|thx|ty|nice( one| catch| work| job| idea)?|awesome|cool|perfect|"
    r"good( one| catch| work| job| idea| point| to know| call)?|great( work| job| idea| point| catch| stuff)?|"
    r"excellent|wonderful|love(ly)?( it| this)?|(i )?like (it|this|that)( a lot| very much)?|neat|well done|kudos|lgtm|"
    r"looks? (good|great|nice|fine|ok|okay)( to me| now)?|sounds? (good|great|fine)( to me)?|makes? sense( to me)?"
)
_ASSENT = (
    r"agreed?|i agree|yes|yep|yeah|no|nope|ok(ay)?|sure|done|fixed|ack|got it|i see|understood|never ?mind|nvm|"
    r"my bad|oops|sorry|you are right|wow|100"
)
_ACKNOWLEDGEMENT = re.compile(rf"{_THANKS_FOR}|{_PRAISE}|{_ASSENT}|it|this|now")
#: Words of the longest acknowledgement: "special thanks for fixing" and two more.
_PHRASE_WORDS = 6
_REFERENCE = re.compile(
    r"^(and )?(for )?(ditto|(the )?same( here| there| thing| comment| issue| problem)?|same x\d|"
    r"(the )?same as (above|below|before|previous( \w+)?)|here (as well|too)|here and below|"
    r"likewise|see above|as above|again|1)$"
)
_ASKS = re.compile(
    r"^(so |and |but |just |hm+ |wait |btw |sorry |curious )*"
    r"(question (?!how about|what about|why not)|why (?!not |do ?n.?t |does ?n.?t |wo ?n.?t |ca ?n.?t )|"
    r"what (?!about )|when |where |who |which |how (?!about )|"
    r"(could|can|would|will) you (please )?(explain|clarify|elaborate|tell) )"
)
_DEMANDS = re.compile(
    r"\b(should|shouldn.?t|could|couldn.?t|would|wouldn.?t|can|can.?t|must|need|needs|needed|better|instead|maybe|perhaps|"
    r"prefer|please|add|remove|rename|move|use|using|extract|replace|reuse|inline|drop|delete|change|fix|make|split|tests?|"
    r"missing|typo|todo|possible|necessary|required|redundant|unused|correct|right|intended|intentional|wrong|want|"
    r"supposed|nit|wdyt|thoughts|(how|what) about)\b"
)
_EXPLAIN = re.compile(r"\b(could|can|would|will) you (please )?(explain|clarify|elaborate|tell)\b")


#: Reasons that are about a comment's words alone: what was done about it may be known all the same.
WORDLESS = frozenset({"link_only", "praise", "too_short", "question_only"})


class Noise(Record):
    """`reason` is a stable word; `detail` says it to a person."""

    reason: str
    detail: str


def decide_bot(login: str, account_type: str) -> bool:
    """A machine wrote it: by GitHub's account type, or by the names that machines with user accounts go by."""
    return account_type == "Bot" or _BOT_LOGIN.search(login) is not None


def decide_noise(body: str) -> Noise | None:
    """Why the words of a comment teach nothing, None when they may. Never looks at who wrote it."""
    text = _MENTION.sub(" ", body[:LONGEST]).strip()
    words = _words(_LINK.sub(" ", _QUOTE.sub(" ", text)))
    if _LINK.search(text) and not words:
        return Noise(reason="link_only", detail="the comment is a bare link")
    if _CODE.search(text) or _FENCE.search(text):
        return None  # names code or suggests it: short or not, it points at something
    return _decide_words(text, words)


def _decide_words(text: str, words: str) -> Noise | None:
    if not words or _acknowledges(words):
        return Noise(reason="praise", detail="the comment acknowledges or praises and asks for nothing")
    if len(_EMOJI_NAME.sub("", text).strip()) < SHORTEST or _REFERENCE.match(words.rstrip("? ")):
        return Noise(reason="too_short", detail="the comment says nothing without another one beside it")
    if _asks_only(text):
        return Noise(reason="question_only", detail="the comment asks for information, not for a change")
    return None


def _acknowledges(words: str) -> bool:
    """Whether the words are acknowledgements one after another.

    Walked by hand: one expression that repeats phrases such as "love it" and "it" backtracks without end.
    """
    parts = words.split(" ")
    reached = {0}
    for start in range(len(parts)):
        if start in reached:
            ends = range(start + 1, min(start + _PHRASE_WORDS, len(parts)) + 1)
            reached |= {end for end in ends if _ACKNOWLEDGEMENT.fullmatch(" ".join(parts[start:end]))}
    return len(parts) in reached


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
