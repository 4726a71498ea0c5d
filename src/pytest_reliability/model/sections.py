"""The sections of runbooks and postmortems, under one canonical name each, with the headings that people give them.

Headings are in English and Japanese, written as they are compared: lower case, in Unicode's compatible form (NFKC). The first
ones of each are what a hint proposes. `formats/sections.py` tells which of them a heading stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Vocabulary = Mapping[str, tuple[str, ...]]

RUNBOOK: Vocabulary = MappingProxyType(
    {
        "purpose": (
            "meaning", "overview", "purpose", "summary", "description", "about", "introduction", "intro", "background", "context",
            "tl;dr", "tldr", "when to use", "goal", "scope", "alert description",
            "概要", "目的", "はじめに", "運用目的", "背景", "説明", "意味", "サマリー", "サマリ",
        ),
        "symptoms": (
            "symptoms", "symptom", "trigger", "triggers", "alert", "alerts", "failure signal", "possible alert variants",
            "症状", "トリガー", "発生条件", "検知", "アラート", "実行タイミング",
        ),
        "impact": (
            "impact", "blast radius", "severity", "impact assessment", "potential customer impact", "consequences",
            "影響", "影響範囲", "重大度", "重要度", "深刻度",
        ),
        "prerequisites": (
            "prerequisites", "before you start", "preconditions", "prerequisite", "requirements", "required context",
            "required access", "permissions", "before you begin", "pre-flight", "preflight", "pre-flight checks", "preparation",
            "前提条件", "事前準備", "前提", "事前確認", "必要な権限", "必要なツール", "準備",
        ),
        "diagnosis": (
            "diagnosis", "investigation", "troubleshooting", "diagnosis steps", "diagnostics", "possible checks",
            "steps to check",
            "triage", "possible causes", "debugging", "diagnostic commands",
            "診断", "調査", "切り分け", "確認手順", "原因", "トラブルシューティング", "原因調査", "原因特定",
        ),
        "mitigation": (
            "mitigation", "resolution", "remediation", "resolution steps", "recovery", "recommended actions", "response", "fix",
            "fixes", "workaround", "workarounds", "solution", "solutions", "what to do",
            "対処", "対応", "復旧", "対応手順", "復旧手順", "緩和", "回復", "リカバリ", "リカバリー", "暫定対処", "対策", "復元",
        ),
        "steps": (
            "steps", "procedure", "procedure steps", "procedures", "execute", "execution", "instructions", "runbook",
            "playbook", "checklist",
            "手順", "作業手順", "実行手順", "運用手順", "チェックリスト", "確認項目",
        ),
        "verification": (
            "verification", "validation", "post checks", "verify", "definition of done", "success criteria", "post-check",
            "post-checks", "acceptance criteria",
            "検証", "動作確認", "完了条件", "検証チェックリスト", "復旧確認", "正常性確認", "判定基準", "成功判定",
            "反映確認", "結果の確認",
        ),
        "rollback": (
            "rollback", "revert", "back out", "rollback procedure", "undo", "abort", "roll back", "rolling back", "backout",
            "ロールバック", "切り戻し", "巻き戻し", "ロールバック手順", "切戻し", "バックアップ復元",
        ),
        "escalation": (
            "escalation", "contacts", "on-call", "escalation contacts", "points of contact", "owner", "owners", "oncall",
            "ownership",
            "エスカレーション", "連絡先", "担当", "エスカレーション基準", "エスカレーションフロー", "エスカレーション手順",
            "連絡窓口",
            "連絡体制", "オーナー", "担当者", "担当チーム", "緊急連絡先", "緊急時連絡",
        ),
        "dashboards": (
            "dashboards", "dashboard", "monitoring", "metrics", "observability", "logs",
            "ダッシュボード", "監視", "メトリクス", "ログ", "可観測性",
        ),
        "followup": (
            "follow-up", "post-incident checklist", "prevention",
            "再発防止", "事後処理", "振り返り", "恒久対策",
        ),
        "references": (
            "references", "see also", "related links", "related", "resources", "links", "related runbooks",
            "参考資料", "関連リンク", "参考", "関連ドキュメント", "参照", "関連",
        ),
        "history": (
            "revision history", "changelog", "history", "last updated",
            "変更履歴", "改訂履歴", "最終更新", "更新履歴", "実行記録",
        ),
    }
)  # fmt: skip

POSTMORTEM: Vocabulary = MappingProxyType(
    {
        "summary": (
            "summary", "overview", "what happened", "issue summary", "executive summary", "abstract", "tl;dr", "tldr",
            "description",
            "incident summary",
            "概要", "サマリー", "要約", "サマリ", "何が起きた", "何が起きたか", "なにが起きたか", "エグゼクティブサマリー",
            "障害内容", "事象",
        ),
        "metadata": (
            "metadata", "status", "authors", "attendees", "stats", "incident details",
            "メタデータ", "基本情報", "参加者", "対応者", "作成者",
        ),
        "impact": (
            "impact", "user impact", "affected users", "scope", "consequences",
            "影響", "影響範囲", "ユーザー影響", "定量的影響", "被害",
        ),
        "detection": (
            "detection", "how we found out", "discovery",
            "検知", "検出", "発見", "障害の発見方法",
        ),
        "timeline": (
            "timeline", "incident timeline", "chronology", "timeline (utc)", "timeline of events", "sequence of events",
            "タイムライン", "時系列", "経緯", "経過", "対応経緯",
        ),
        "root_cause": (
            "root cause", "root causes", "contributing factors", "root cause analysis", "cause", "causes", "trigger", "five whys",
            "5 whys", "why did it happen", "how did it happen", "what went wrong technically", "identified cause",
            "根本原因", "原因", "寄与要因", "根本原因分析", "根因", "直接原因", "なぜなぜ分析", "インシデントを引き起こした要因",
            "混入原因分析", "原因分析", "発生原因", "要因",
        ),
        "resolution": (
            "resolution", "mitigation", "recovery", "resolution and recovery", "remediation", "response",
            "解決", "復旧", "対応", "どう対処したか", "対応の評価", "緩和策", "是正", "暫定対処", "暫定対応", "対応内容",
        ),
        "went_well": (
            "what went well", "worked well", "things that went well",
            "うまくいったこと", "良かった点", "なにがうまくいった", "有効だった対応",
        ),
        "went_wrong": (
            "what went wrong", "what went poorly", "what could have gone better", "what didn't go well",
            "things that went poorly",
            "うまくいかなかったこと", "改善が必要なこと", "なにがうまくいかなかった", "悪かった点",
        ),
        "lucky": (
            "where we got lucky", "what went lucky",
            "運が良かったこと", "幸運だったこと",
        ),
        "lessons": (
            "lessons learned", "lessons", "key takeaways", "lessons learnt", "learnings",
            "教訓", "学び", "学んだ教訓", "技術的教訓", "組織的教訓",
        ),
        "action_items": (
            "action items", "follow-up", "next steps", "follow-ups", "follow up", "followups", "actions",
            "corrective and preventative measures", "corrective and preventive measures", "corrective actions",
            "preventive measures",
            "prevention", "remediation", "remediations", "remediation items", "improvements", "moving forward", "todo", "to do",
            "immediate actions", "what are we doing about it",
            "アクションアイテム", "再発防止策", "対策", "再発防止", "恒久対策", "今後の対応", "フォローアップ", "予防措置",
            "今後の対策", "改善策",
            "恒久対応",
        ),
        "spread": (
            "applies to", "similar services",
            "横展開", "水平展開",
        ),
        "references": (
            "references", "links", "glossary", "appendix",
            "参考資料", "関連ドキュメント", "関連リソース", "参考リンク",
        ),
    }
)  # fmt: skip

RUNBOOK_REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "alert": ("purpose", "impact", "diagnosis", "mitigation"),
        "procedure": ("purpose", "prerequisites", "steps", "verification", "rollback"),
        "checklist": ("purpose", "steps"),
    }
)
"""What a runbook of each kind has to say."""

POSTMORTEM_REQUIRED = ("summary", "impact", "timeline", "root_cause", "action_items")
"""What a postmortem has to say."""


SUBSTITUTES: Mapping[str, tuple[str, ...]] = MappingProxyType({"steps": ("mitigation",), "mitigation": ("steps",)})
"""What says the same under another name: the steps of a recovery are its mitigation."""


def proposed_headings(vocabulary: Vocabulary, section: str, language: str) -> tuple[str, ...]:
    """The three usual headings of a section in that language ("ja", or else English), as people write them."""
    usual = [heading for heading in vocabulary[section] if heading.isascii() is (language != "ja")]
    return tuple(heading[:1].upper() + heading[1:] for heading in usual[:3])
