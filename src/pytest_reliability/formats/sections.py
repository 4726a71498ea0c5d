"""Which sections a heading stands for: "3. Impact / Severity:" is about impact, `影響（Impact）` as well, "Low-impact changes" is
not.

A heading is taken apart where people join two things ("Diagnosis and mitigation", 原因と対策, words in brackets). Each part is
looked up in the vocabulary as it is; then without words that add nothing ("Rollback plan", 切り戻し手順); then by its last words
("Customer impact", "Cutover 手順") or by its first ("Impact of the outage"), for words that mean the same in any company.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pytest_reliability.model.sections import POSTMORTEM, RUNBOOK, Vocabulary


def _by_heading(vocabulary: Vocabulary) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for section, headings in vocabulary.items():
        for heading in headings:
            found[heading] = (*found.get(heading, ()), section)
    return found


_RUNBOOK = _by_heading(RUNBOOK)
_POSTMORTEM = _by_heading(POSTMORTEM)

_STRONG = frozenset(
    ("impact", "diagnosis", "diagnostics", "investigation", "troubleshooting", "triage", "mitigation", "remediation",
     "resolution",
     "recovery", "prerequisites", "verification", "validation", "rollback", "escalation", "symptoms", "timeline",
     "overview", "summary",
     "procedure", "procedures", "steps", "root cause", "root causes", "action items", "contributing factors", "lessons learned",
     "lessons learnt", "follow-up", "follow-ups", "possible causes", "post-check", "improvements", "severity",
     "影響", "影響範囲", "手順", "原因", "根本原因", "検証", "動作確認", "対処", "復旧", "ロールバック", "切り戻し",
     "エスカレーション", "症状",
     "タイムライン", "時系列", "再発防止", "再発防止策", "恒久対策", "アクションアイテム", "概要", "目的", "前提条件",
     "連絡先", "診断", "切り分け",
     "緩和", "教訓", "サマリー")
)  # fmt: skip
"""Words that say what a section is about even where others come before or after them."""
_STRONG_JAPANESE = tuple(sorted((word for word in _STRONG if not word.isascii()), key=len, reverse=True))
_JOINS = frozenset(
    ("of", "for", "on", "in", "to", "from", "by", "when", "during", "after", "before", "per", "with", "at", "if", "this")
)  # fmt: skip
"""What follows a word that goes on to say "of what"."""
_PARTICLES = tuple("のをへがはにでと")
_FILLERS = frozenset(
    ("steps", "step", "procedures", "procedure", "process", "plan", "instructions", "actions", "guide", "details",
     "section", "checklist",
     "notes", "analysis", "assessment", "path", "policy", "matrix", "options", "commands", "tasks", "flow", "information",
     "summary",
     "description", "report", "log", "list", "strategy", "criteria", "checks", "overview")
)  # fmt: skip
"""Words that add nothing after the word that matters."""
_FILLERS_JAPANESE = (
    "チェックリスト", "について", "チェック", "フロー", "の流れ", "の詳細", "の特定", "手順", "方法", "一覧", "詳細",
    "内容", "状況", "作業", "計画",
    "項目", "分析", "調査", "案",
)  # fmt: skip
_VERBS = {
    "diagnose": "diagnosis", "diagnosing": "diagnosis", "investigate": "diagnosis", "investigating": "diagnosis",
    "troubleshoot": "diagnosis", "debug": "diagnosis",
    "mitigate": "mitigation", "mitigating": "mitigation", "resolve": "mitigation", "resolving": "mitigation",
    "fixing": "mitigation",
    "recover": "mitigation", "recovering": "mitigation", "restore": "mitigation", "restoring": "mitigation",
    "verify": "verification", "verifying": "verification", "validate": "verification", "validating": "verification",
}  # fmt: skip
"""What a runbook's heading that begins with such a verb is about."""

_EMOJI_NAME = re.compile(r":[a-z0-9_+-]+:")
_NUMBER = re.compile(
    r"(?:第?\s*\d+\s*[章節部項]|§\s*\d+|\(\d+\)|\d+(?:\.\d+)*(?=[\s.):、-]|[^\W\da-z_])|[ivx]+(?=[.)]\s)|[a-z](?=[.)]\s))[\s.):、-]*"
)
_STEP = re.compile(r"(?:steps?|phases?|stages?|手順|ステップ|フェーズ)\s*\d+(?!\d)")
_BRACKETS = re.compile(r"[(\[【「『]([^()\[\]【】「」『』]*)[)\]】」』]")
_JOINT = re.compile(r"[/&+,;|、・→:]|\s[-–—]+\s|—|\s(?:and|or)\s|および|及び|ならびに|と")
_EDGES = " \t.:;!?…。-–—=#*~\"'“”‘’"
_OPENING = re.compile(r"(?:how (?:to|do i|do we|can i|we)|the|our|a|an) ")


def runbook_sections(heading: str) -> tuple[str, ...]:
    """The canonical sections of a runbook that a heading stands for; mostly one or none."""
    return _sections(heading, "runbook")


def postmortem_sections(heading: str) -> tuple[str, ...]:
    """The canonical sections of a postmortem that a heading stands for; mostly one or none."""
    return _sections(heading, "postmortem")


@lru_cache(maxsize=8192)
def _sections(heading: str, kind: str) -> tuple[str, ...]:
    known = _RUNBOOK if kind == "runbook" else _POSTMORTEM
    text = plain(heading)
    if text in known:
        return known[text]
    found: dict[str, None] = {}
    for part in _parts(text):
        found.update(dict.fromkeys(_part_sections(part, known)))
    return tuple(found)


def plain(heading: str) -> str:
    """A heading as it is compared: one form of each character, no case, no emoji, no number, no colon at its end."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    if not text.isascii():
        text = "".join(" " if unicodedata.category(character) in ("So", "Sk", "Mn", "Cf") else character for character in text)
    text = _EMOJI_NAME.sub(" ", text).strip(_EDGES)
    without_number = _NUMBER.sub("", text, count=1) if _NUMBER.match(text) else text
    return text if text in _POSTMORTEM or _STEP.match(text) else " ".join(without_number.split()).strip(_EDGES)


def _parts(text: str) -> Iterator[str]:
    """What a heading is made of: what stands in brackets and outside, on either side of "and", "/" and the like."""
    for piece in (_BRACKETS.sub(" ", text), *_BRACKETS.findall(text)):
        if piece.strip(_EDGES) in _POSTMORTEM:  # "resolution and recovery" is one thing
            yield piece
        else:
            yield from _JOINT.split(piece)


def _part_sections(part: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    part = " ".join(part.split()).strip(_EDGES)
    part = _OPENING.sub("", part, count=1) if _OPENING.match(part) else part
    if part in known:
        return known[part]
    if known is _RUNBOOK and _STEP.match(part):
        return ("steps",)
    words = part.split()
    if known is _RUNBOOK and words and words[0] in _VERBS:
        return (_VERBS[words[0]],)
    return _without_fillers(part, words, known) or _by_strong_word(part, words, known)


def _without_fillers(part: str, words: list[str], known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    while len(words) > 1 and words[-1] in _FILLERS:
        words = words[:-1]
        if " ".join(words) in known:
            return known[" ".join(words)]
    for filler in _FILLERS_JAPANESE:
        if part.endswith(filler) and (rest := part.removesuffix(filler).rstrip(" の")) in known:
            return known[rest]
    return ()


def _by_strong_word(part: str, words: list[str], known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    for count in (2, 1):
        last, first = " ".join(words[-count:]), " ".join(words[:count])
        if last in _STRONG and len(words) - count < 3:
            return known.get(last, ())
        if first in _STRONG and len(words) > count and words[count] in _JOINS:
            return known.get(first, ())
    for word in _STRONG_JAPANESE:
        if part.endswith(word) or part.startswith(tuple(word + particle for particle in _PARTICLES)):
            return known.get(word, ())
    return ()
