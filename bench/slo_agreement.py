"""What we refuse in other projects' SLO files, against what their names, comments and expected outputs say.

    python bench/slo_agreement.py [FOLDER]

FOLDER is the corpus (../shared/corpus unless given). Every file is judged by itself. The sources of truth:

* OpenSLO's schema tests: the files of its test that must not be valid, each with the reason in its name
* OpenSLO's Go SDK: `_invalid_` in a name says what is referred to and not there; everything else is valid
* oslo: each property that its expected output complains about
* Sloth: `validate/good` and the inputs of its tests are valid; `validate/bad` are not, on the line that says `BAD!`; duplicates

Where the projects contradict each other or themselves, the difference is listed with the reason why we decided as we did. Exits
with 1 where there is a difference without one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_reliability.report import Finding
from pytest_reliability.testing import Repo

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
FORM = ("DOC001", "DOC003", "DOC004", "DOC005", "DOC006", "DOC007", "DOC008", "SLO101", "SLO102", "SLO201")
"""What can be wrong with a file by itself."""

Judge = Callable[[list[Finding]], bool]


@dataclass(frozen=True)
class Case:
    """A file, or several that belong together: whether it must be refused, and whether what was found is the reason to."""

    source: str
    paths: tuple[Path, ...]
    reason: str = ""
    agrees: Judge = lambda found: not found
    codes: tuple[str, ...] = FORM
    decided: str = ""
    """Why what the source says is not what we do."""


def named(code: str, word: str) -> Judge:
    """Whether a check found fault with that word."""
    return lambda found: any(finding.code == code and word in finding.message for finding in found)


# --- OpenSLO

SCHEMA = {
    "invalid-apiversion": ("DOC008", "apiVersion"),
    "alert-condition-no-condition": ("DOC004", "'condition'"),
    "alert-condition-no-sev": ("DOC004", "'severity'"),
    "alert-notification-target-no-target": ("DOC004", "'target'"),
    "alert-policy-malformed-cond": ("DOC004", "conditionRef"),
    "alert-policy-malformed-targetref": ("DOC004", "targetRef"),
    "alert-policy-many-cond": ("DOC005", "conditions"),
    "alert-policy-no-cond": ("DOC004", "'conditions'"),
    "alert-policy-no-notification": ("DOC004", "'notificationTargets'"),
    "service-long-description": ("DOC005", "description"),
    "sli-ratio-good-and-bad": ("DOC006", "'good' and 'bad'"),
}
"""What must not be valid, by its name: the check that has to say so, and a word that it has to say."""

BY_ACCIDENT = {
    "sli-description-ratio-inline-metricsource": "good and bad in one ratio; no test of the schema's looks at the file",
}
"""Files that are invalid although their names do not say so."""


def openslo(folder: Path) -> Iterator[Case]:
    """The tests of the official schema, and the specification's own examples."""
    for path in sorted((folder / "schema-test").rglob("*.yaml")):
        if path.stem in SCHEMA:
            code, word = SCHEMA[path.stem]
            yield Case("OpenSLO schema-test", (path,), f"{code} {word}", named(code, word))
        else:
            yield Case("OpenSLO schema-test", (path,), decided=BY_ACCIDENT.get(path.stem, ""))
    for path in sorted((folder / "examples").rglob("*.yaml")):
        yield Case("OpenSLO examples", (path,), "DOC003 'objective'", named("DOC003", "'objective'"))


INVALID = {"condition": "alert condition", "target": "alert notification target", "policy": "alert policy", "sli": "SLI"}
SDK_ITSELF = {
    "v1/examples/slos.yaml": "`op` beside a ratio: the SDK refuses it, and so does oslo in the same text",
    "v2alpha/examples/slos.yaml": "`op` beside a ratio: the SDK refuses it, and so does oslo in the same text",
    "decode/v2alpha_data_source.yaml": "a capital in the name: only decoded in the SDK's test, its validation refuses it",
    "decode/v2alpha_slos.yaml": "no budgetingMethod, no objectives: only decoded in the SDK's test, its validation refuses it",
}


def sdk(folder: Path) -> Iterator[Case]:
    """The official library's examples and test data."""
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.json")]):
        invalid = re.search(r"_invalid_(\w+)", path.stem)
        if invalid:
            word = f"refers to {INVALID[invalid[1]]} "
            yield Case("OpenSLO go-sdk", (path,), f"DOC009 {word.strip()}", named("DOC009", word), codes=("DOC009",))
        else:
            decided = next((reason for end, reason in SDK_ITSELF.items() if str(path).endswith(end)), "")
            yield Case("OpenSLO go-sdk", (path,), decided=decided)


OSLO_ITSELF = {
    "timeZone": "America/New_York is a time zone; the image that oslo's test runs in has no database of them",
    "value": "Sloth's own examples of v1alpha leave `value` out beside a ratio, and it would be compared with nothing",
}


def oslo(folder: Path) -> Iterator[Case]:
    """Each property that `oslo validate` is expected to complain about, and the inputs that it has no output for."""
    inputs = folder / "test/inputs/validate"
    seen = set()
    for output in sorted((folder / "test/outputs/validate").iterdir()):
        path = inputs
        for line in output.read_text().splitlines():
            if start := re.match(r"Errors in .*/test/inputs/validate/(.+):$", line):
                path = inputs / start[1]
                seen.add(path)
            elif complaint := re.match(r"\s+- '([\w.\[\]]+)'(?: with value|:)", line):
                key = complaint[1].rpartition(".")[2]
                decided = OSLO_ITSELF.get(key, "")
                yield Case("oslo validate", (path,), complaint[1], _about(key), decided=decided)
    for path in sorted(set(inputs.rglob("*.yaml")) - seen):
        yield Case("oslo validate", (path,), path.stem, bool)
    formatted = [folder / "internal/files/testdata/format", folder / "test/inputs/fmt", folder / "test/outputs/fmt"]
    for path in sorted(path for place in formatted for path in place.iterdir()):
        if path.stem == "invalid-service":
            yield Case("oslo fmt", (path,), "metadata.name", _about("name"))
        else:
            yield Case("oslo fmt", (path,))


def _about(key: str) -> Judge:
    return lambda found: any(re.search(rf"\b{key}\b", finding.message) for finding in found)


# --- Sloth

DROPPED = re.compile(r"'(?:pageAlert|ticketAlert|page_alert|ticket_alert)' is not a key")
WRONG_VERSION = "in-invalid-version.yaml"
DAYS = "28 days are the operator's affair: Sloth has windows for them, and its test only wants the folder as a whole refused"


def sloth(folder: Path) -> Iterator[Case]:
    """What its own validation takes and refuses."""
    data = folder / "test/integration/prometheus/testdata"
    examples = sorted((folder / "examples").glob("*.y*ml"))
    for path in [*sorted((data / "validate/good").iterdir()), *sorted(data.glob("in-*.yaml")), *examples]:
        if path.name == WRONG_VERSION:
            yield Case("Sloth good", (path,), "DOC008 version", named("DOC008", "version"))
        else:
            yield Case("Sloth good", (path,), agrees=_nothing_but_dropped)
    for path in sorted((data / "validate/bad").iterdir()):
        line, text = next((number, text) for number, text in enumerate(path.read_text().splitlines(), 1) if "BAD!" in text)
        decided = DAYS if "count: 28" in text else ""
        yield Case("Sloth bad", (path,), f"line {line}: {text.strip()}", _near(line), decided=decided)
    duplicates = data / "validate_with_duplicates"
    for group in (".", "prom", "k8s", "openslo"):
        paths = tuple(sorted((duplicates / group).glob("*.yaml")))
        yield Case("Sloth duplicates", paths, "DOC010 is defined already", named("DOC010", "defined already"), codes=("DOC010",))


def _nothing_but_dropped(found: list[Finding]) -> bool:
    """Some of the good files have keys in the spelling of the other dialect, which Sloth drops without a word."""
    return all(DROPPED.match(finding.message) for finding in found)


def _near(line: int) -> Judge:
    """Whether something is told of that line, or of the mapping that the line is in."""
    return lambda found: any(line - 6 <= finding.at.line <= line and not DROPPED.match(finding.message) for finding in found)


# --- The table


def found_in(case: Case) -> list[Finding]:
    """What the checks of a case say of its files."""
    files = {f"slo/{path.name}": path.read_bytes() for path in case.paths}
    return [finding for outcome in Repo(files).report(*case.codes).outcomes for finding in outcome.findings]


def main(arguments: list[str]) -> int:
    """Judge every case, and print what came of it."""
    corpus = Path(arguments[0]) if arguments else CORPUS
    if not (corpus / "slo").is_dir():
        print(f"there is no corpus at {corpus}")
        return 2
    cases: list[Case] = []
    for name, read in (("OpenSLO__OpenSLO", openslo), ("OpenSLO__go-sdk", sdk), ("OpenSLO__oslo", oslo), ("slok__sloth", sloth)):
        cases += read(corpus / "slo" / name)
    table: dict[str, list[int]] = {}
    explained, differing = [], []
    for case in cases:
        found = found_in(case)
        row = table.setdefault(case.source, [0, 0, 0, 0, 0])
        row[0 if case.reason else 2] += 1
        about = f"{case.paths[0].relative_to(corpus / 'slo')}: {case.reason or 'must be taken'}"
        if case.agrees(found):
            row[1 if case.reason else 3] += 1
        elif case.decided:
            row[4] += 1
            explained.append(f"{about}\n    {case.decided}")
        else:
            differing.append(
                f"{about}\n    {'; '.join(f'{item.at.line}: {item.code} {item.message}' for item in found) or 'nothing'}"
            )
    print("| source | must be refused | refused for that reason | must be taken | taken | decided otherwise |")
    print("|---|---|---|---|---|---|")
    for source, row in table.items():
        print(f"| {source} | {' | '.join(map(str, row))} |")
    print("\nDecided otherwise:", *explained, sep="\n  ")
    if differing:
        print("\nDifferent without a reason:", *differing, sep="\n  ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
