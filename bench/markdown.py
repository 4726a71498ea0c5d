"""How fast Markdown is scanned, beside markdown-it-py, which reads the same headings and links (tests/test_markdown.py).

    python bench/markdown.py [--rounds N] [FOLDER]

Both read every `.md` file below the folder (the corpus, where none is given) in turns, so that a busy machine slows both alike;
the best round of each counts. Files are read beforehand.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from math import inf
from pathlib import Path

from markdown_it import MarkdownIt

from pytest_reliability.formats.markdown import scan

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


def seconds(read: Callable[[str], object], texts: list[str]) -> float:
    """The CPU time of reading all texts once."""
    began = time.process_time()
    for text in texts:
        read(text)
    return time.process_time() - began


def main() -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in sorted(options.folder.rglob("*.md"))]
    if not texts:
        parser.error(f"no .md file below {options.folder}")
    readers: dict[str, Callable[[str], object]] = {
        "scan": lambda text: scan(text, "page.md"),
        "markdown-it-py": MarkdownIt("commonmark").parse,
    }
    best = dict.fromkeys(readers, inf)
    for _ in range(options.rounds):
        for name, read in readers.items():
            best[name] = min(best[name], seconds(read, texts))
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts)} files, {size:.1f} MB, best of {options.rounds}")
    for name, took in best.items():
        print(f"  {name:<15} {1000 * took:8.1f} ms   {size / took:6.1f} MB/s   {best['markdown-it-py'] / took:5.1f}x")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
