"""Every pre-commit hook that this repository offers. `generate.py` writes `.pre-commit-hooks.yaml` from it.

Few hooks, because each one is a process more on every commit: what can be told from one file runs on the files that
changed; what needs the whole repository runs always. pre-commit leaves deleted files out, so a hook that looks for what
must exist cannot wait to be given a file name: deleting the only runbook would skip it.
"""

from __future__ import annotations

from dataclasses import dataclass

READABLE = r"(\.(ya?ml|json|(?i:md|markdown)|rules?)|(^|/)(CODEOWNERS|test_[^/]*\.py|[^/]*_test\.py))$"
"""Paths that a local check may have something to say about; `tests/test_hooks.py` holds it against every reader's own pattern."""


@dataclass(frozen=True)
class Hook:
    """One hook: `entry` is run on the changed files that match `files`, or on every commit without any where `files` is None."""

    id: str
    name: str
    description: str
    entry: str
    files: str | None = None

    def declaration(self) -> dict[str, object]:
        """The hook as `.pre-commit-hooks.yaml` spells it."""
        when: dict[str, object] = {"files": self.files}
        if self.files is None:
            when = {"always_run": True, "pass_filenames": False}
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "language": "python",
            "entry": self.entry,
            **when,
            "require_serial": True,
            "stages": ["pre-commit", "pre-push", "manual"],
            "minimum_pre_commit_version": "3.2.0",
        }


HOOKS = (
    Hook(
        id="reliability-files",
        name="reliability: the files that changed",
        description="SLOs, alerts, runbooks, postmortems: what can be told from each changed file alone.",
        entry="reliability check --scope local --quiet",
        files=READABLE,
    ),
    Hook(
        id="reliability",
        name="reliability: the repository as a whole",
        description="What must exist, and what must fit together: alert and runbook, SLO and test, page and receiver.",
        entry="reliability check --scope repository --quiet",
    ),
    Hook(
        id="reliability-badge",
        name="reliability: the badge is up to date",
        description="Fails when the README's badge no longer says where the repository stands.",
        entry="reliability badge --check",
    ),
)
