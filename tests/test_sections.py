"""Which sections a heading stands for, in English and Japanese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reliability.formats.sections import plain, postmortem_sections, runbook_sections
from pytest_reliability.model.sections import (
    POSTMORTEM,
    POSTMORTEM_REQUIRED,
    RUNBOOK,
    RUNBOOK_REQUIRED,
    SUBSTITUTES,
    proposed_headings,
)

OF_RUNBOOKS = {
    "Meaning": "purpose",
    "TL;DR": "purpose",
    "1. Impact": "impact",
    "3) Impact:": "impact",
    "iv. Impact": "impact",
    "第1章 影響": "impact",
    "§ 2 影響": "impact",
    "①影響": "impact",
    "■ 影響": "impact",
    "🔥 Impact 🔥": "impact",
    ":fire: Impact": "impact",
    "Ｉｍｐａｃｔ": "impact",
    "影響（Impact）": "impact",
    "【重要】影響範囲": "impact",
    "Impact / Severity": "impact",
    "Customer impact": "impact",
    "Impact on customers": "impact",
    "影響を受ける利用者": "impact",
    "Symptoms and diagnosis": "symptoms diagnosis",
    "Diagnosis & Mitigation": "diagnosis mitigation",
    "原因と対策": "diagnosis mitigation",
    "Investigation Steps": "diagnosis",
    "Troubleshooting guide": "diagnosis",
    "Investigating slow queries": "diagnosis",
    "How to fix": "mitigation",
    "The fix": "mitigation",
    "Recovery procedure": "mitigation",
    "Restoring from the backup": "mitigation",
    "復旧手順 (本番)": "mitigation",
    "障害別の対処": "mitigation",
    "事前準備": "prerequisites",
    "Cutover 手順": "steps",
    "Step 1: drain the node": "steps",
    "手順1": "steps",
    "ステップ 2 切り替え": "steps",
    "Step 6: Rollback (if needed)": "steps rollback",
    "Deployment steps": "steps",
    "Verify recovery": "verification",
    "デプロイ後の検証": "verification",
    "動作確認方法": "verification",
    "Rollback plan": "rollback",
    "切り戻し手順": "rollback",
    "緊急時連絡・エスカレーション": "escalation",
    "Escalation path": "escalation",
}


@pytest.mark.parametrize(("heading", "sections"), OF_RUNBOOKS.items(), ids=OF_RUNBOOKS)
def test_a_runbooks_heading_stands_for_its_sections(heading, sections):
    """Numbers, emoji, brackets, joined and qualified words do not hide what a heading is about."""
    assert tuple(sections.split()) == runbook_sections(heading)


OF_POSTMORTEMS = {
    "Summary": "summary",
    "Timeline (UTC)": "timeline",
    "2. Detailed timeline": "timeline",
    "時系列（JST）": "timeline",
    "5 Whys": "root_cause",
    "Root cause of the outage": "root_cause",
    "直接原因（障害 A）": "root_cause",
    "Resolution and recovery": "resolution",
    "Short-term Improvements (tracked in #12)": "action_items",
    "再発防止策一覧": "action_items",
    "Action Items (AI)": "action_items",
    "原因と対策": "root_cause action_items",
    "What went well?": "went_well",
    "横展開": "spread",
}


@pytest.mark.parametrize(("heading", "sections"), OF_POSTMORTEMS.items(), ids=OF_POSTMORTEMS)
def test_a_postmortems_heading_stands_for_its_sections(heading, sections):
    """The same for postmortems."""
    assert tuple(sections.split()) == postmortem_sections(heading)


@pytest.mark.parametrize(
    "heading",
    [
        *("", "5", "()", "A + B", "とと", "まとめ", "2段階認証", "未対応の項目", "Known issues", "HTTP response codes"),
        *("Low-impact changes", "Reducing the customer facing impact", "What to expect from impactful work"),
        *("Alertmanager", "Stepping stones", "Verifier"),
    ],
)
def test_a_word_that_merely_occurs_is_no_section(heading):
    """A heading that has a known word in it, or a part of one, is not about that."""
    assert ((), ()) == (runbook_sections(heading), postmortem_sections(heading))


@pytest.mark.parametrize(("vocabulary", "sections_of"), [(RUNBOOK, runbook_sections), (POSTMORTEM, postmortem_sections)])
def test_every_heading_of_the_vocabulary_is_found(vocabulary, sections_of):
    """Whatever stands in the vocabulary stands for its section, in any case and with a number before it."""
    for section, known in vocabulary.items():
        for heading in known:
            for written in (heading, heading.upper(), f"1. {heading}:"):
                assert section in sections_of(written), written


def test_what_is_required_can_be_proposed():
    """For every section that a check may demand there are headings to propose in both languages."""
    wanted = [(RUNBOOK, section) for sections in RUNBOOK_REQUIRED.values() for section in (*sections, *SUBSTITUTES)]
    for vocabulary, section in (*wanted, *((POSTMORTEM, section) for section in POSTMORTEM_REQUIRED)):
        english, japanese = (proposed_headings(vocabulary, section, language) for language in ("en", "ja"))
        assert (3, True) == (len(english), all(heading.isascii() for heading in english))
        assert (True, False) == (len(japanese) > 1, any(heading.isascii() for heading in japanese))
    assert ("Diagnosis", "Investigation", "Troubleshooting") == proposed_headings(RUNBOOK, "diagnosis", "en")
    assert ("診断", "調査", "切り分け") == proposed_headings(RUNBOOK, "diagnosis", "ja")


def test_headings_are_compared_in_one_form():
    """Width, case, emoji, numbers and punctuation at the ends make no difference; a number that is part of a name stays."""
    assert "impact / severity" == plain("３． Ｉｍｐａｃｔ ／ Severity：")
    assert ["5 whys", "step 1 drain", "影響"] == [plain("5 Whys"), plain("Step 1 drain"), plain("⚠️影響⚠️")]


@given(st.text())
def test_any_heading_is_looked_up(heading):
    """There is no heading that cannot be looked up."""
    assert set(runbook_sections(heading)) <= set(RUNBOOK)
    assert set(postmortem_sections(heading)) <= set(POSTMORTEM)
