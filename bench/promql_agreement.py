"""Where our answer to "is this PromQL valid?" differs from promtool's, and why.

    python bench/promql_agreement.py [FOLDER ...]

Every rule under the folders (../shared/corpus unless given) is read as the checks read it. Each distinct expression of a dialect
that is PromQL is put to `promql.parse` and to `promtool check rules`; the differences are printed by cause. promtool is the one
that is installed: an old one refuses syntax that has come since.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from pytest_reliability import plugins, reading
from pytest_reliability.model.nodes import Rule
from pytest_reliability.promql import parse, templated

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
NOT_PROMQL = ("loki", "victoriametrics")


class Folder:
    """A folder that need not be a git repository, as `reading.read` wants it."""

    name = "folder"
    remotes: tuple[str, ...] = ()
    links: frozenset[str] = frozenset()

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = tuple(sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()))

    def read(self, path: str) -> bytes | None:
        """A file's bytes."""
        return (self.root / path).read_bytes()

    def size(self, path: str) -> int:
        """A file's size."""
        return (self.root / path).stat().st_size


def main(arguments: list[str]) -> int:
    """Compare, and print what came of it."""
    promtool = shutil.which("promtool")
    folders = [Path(argument) for argument in arguments] or [CORPUS]
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if promtool is None or missing:
        print(f"there is no {' and no '.join(missing or ['promtool (Debian has it in the package prometheus)'])}")
        return 2
    formats = [format for format in plugins.load().formats if format.name == "prometheus"]
    expressions: dict[str, Rule] = {}
    skipped = 0
    for folder in folders:
        for rule in reading.read(Folder(folder), formats).of(Rule):
            if rule.dialect in NOT_PROMQL or templated(rule.expr):
                skipped += 1
            else:
                expressions.setdefault(rule.expr, rule)
    began = time.perf_counter()
    ours = {text: parse(text) for text in expressions}
    took = time.perf_counter() - began
    theirs = refusals(promtool, list(expressions))
    unjudged = sum(parsed.tree is None and parsed.error is None for parsed in ours.values())
    causes: dict[str, list[str]] = defaultdict(list)
    for text, parsed in ours.items():
        if parsed.tree is not None and text in theirs:
            causes[f"only promtool refuses: {theirs[text]}"].append(text)
        elif parsed.error is not None and text not in theirs:
            causes[f"only we refuse: {parsed.error}"].append(text)
        elif parsed.tree is None and parsed.error is None:
            causes[f"we do not judge, promtool {'refuses' if text in theirs else 'accepts'}"].append(text)
    differences = sum(map(len, causes.values())) - unjudged
    print(f"{len(expressions)} expressions ({skipped} rules in other languages or in templates left out)")
    print(f"agree on {len(expressions) - differences - unjudged}, differ on {differences}, {unjudged} not judged")
    print(f"parsed in {took * 1000:.0f} ms, {took / max(1, len(expressions)) * 1e6:.0f} µs each")
    for cause, texts in sorted(causes.items(), key=lambda item: -len(item[1])):
        print(f"\n{len(texts)} × {cause}")
        for text in texts[:3]:
            print(f"    {expressions[text].expr_at}: {' '.join(text.split())[:100]}")
    return 1 if any(cause.startswith("only we refuse") for cause in causes) else 0


def refusals(promtool: str, expressions: list[str]) -> dict[str, str]:
    """Expression → why promtool refuses it, for those that it does."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.json"
        rules = [{"record": "x", "expr": expression} for expression in expressions]
        file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}), encoding="utf-8")
        said = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    complaint = re.compile(r'rule (\d+), "x": could not parse expression: (?:\d+:\d+: )?(?:parse error: )?(.*)')
    return {expressions[int(number) - 1]: why for number, why in complaint.findall(said.stderr)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
