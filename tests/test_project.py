"""What the project says about itself is true: its pages, its commands, its configuration."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from pytest_reliability import cli, reading
from pytest_reliability.policy.config import CONFIGURATION
from pytest_reliability.testing import Repo

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "hooks/README.md", *ROOT.glob("docs/*.md")]
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())


def fences(page: Path, *languages: str) -> list[str]:
    """The text of the page's fences in one of these languages."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^(`{3,})(\w+)[^\n]*\n(.*?)^\1$", text, re.M | re.S)
    return [body for _, language, body in found if language in languages]


def commands(page: Path) -> list[str]:
    """Every command on a page: lines of sh fences, lines behind `$ ` in console fences, without their comments."""
    lines = [line for fence in fences(page, "sh") for line in fence.splitlines()]
    lines += [line[2:] for fence in fences(page, "console") for line in fence.splitlines() if line.startswith("$ ")]
    return [line.partition(" #")[0].strip() for line in lines if line.strip()]


@each_page
def test_every_command_of_ours_exists(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page tells people to type is understood by the command."""
    monkeypatch.setattr(cli, "_check", lambda options: 0)
    for command in commands(page):
        words = shlex.split(command)
        if words[:1] == ["reliability"]:
            cli._parser().parse_args(words[1:])  # exits, with the reason, where it does not understand


@each_page
def test_every_make_target_exists(page: Path) -> None:
    """`make something` on a page is a target of the Makefile."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for command in commands(page):
        if command.startswith("make "):
            assert command.split()[1] in targets


@each_page
def test_every_link_into_the_repository_leads_somewhere(page: Path) -> None:
    """A relative link is a file, and its anchor a heading in it."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("path", ["README.md", "hooks/README.md"])
def test_every_hook_is_listed(path: str) -> None:
    """Whoever reads either page learns of every hook there is."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for hook in HOOKS:
        assert f"`{hook['id']}`" in text
        assert f"- id: {hook['id']}\n" in text


def test_what_the_readme_prints_was_printed() -> None:
    """Output in the README is what the examples' recorded output says (see test_examples.py), whole lines in a row."""
    shown = 0
    for fence in fences(ROOT / "README.md", "console"):
        first, _, output = fence.partition("\n")
        if match := re.fullmatch(r"\$ cd examples/(\S+) && reliability check", first):
            recorded = (ROOT / "examples" / f"{match[1]}.expected.txt").read_text(encoding="utf-8")
            assert output.strip("\n")
            assert output.strip("\n") in recorded
            shown += 1
    assert shown


# Configuration


def section(key: str) -> str:
    """What docs/configuration.md says under a heading."""
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {key}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1].strip() if found else ""


@pytest.mark.parametrize("key", CONFIGURATION.known)
def test_every_key_of_the_configuration_is_explained(key: str) -> None:
    """A key without a section is a key that nobody finds."""
    assert section(key)


def test_no_key_is_explained_that_does_not_exist() -> None:
    """A section for a removed key would send people the wrong way."""
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert set(CONFIGURATION.known) == set(re.findall(r"^## (\w+)$", text, re.M))


def test_the_example_configuration_has_every_key_and_is_valid() -> None:
    """The example on the page can be copied as it stands."""
    (example,) = fences(ROOT / "docs/configuration.md", "yaml")
    assert set(CONFIGURATION.known) == set(yaml.safe_load(example))
    assert "checkout" == reading.configurations(Repo({".reliability.yaml": example}))[""].service


def test_a_mistake_in_the_configuration_is_reported_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page shows what is printed for an unknown key, to the letter."""
    (shown,) = fences(ROOT / "docs/configuration.md", "console")
    (tmp_path / ".reliability.yaml").write_text("sevice: checkout\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert cli.WRONG_USAGE == cli.main(["check"])
    assert shown == f"$ reliability check\n{capsys.readouterr().err}"


# The project's own files


def test_visible_changes_are_noted() -> None:
    """The changelog has its section for what comes next."""
    assert re.search(r"^## Unreleased$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)


def test_the_shipped_scripts_can_be_run() -> None:
    """Scripts that people start are executable and say with what they run."""
    for path in (".ci/run", "hooks/native/pre-commit", "hooks/native/install.sh"):
        assert (ROOT / path).stat().st_mode & 0o111, path
        assert (ROOT / path).read_text(encoding="utf-8").startswith("#!/"), path
