"""The `reliability` command.

Exit codes: 0 all is well; 1 there are findings, or checks that could not be judged; 2 wrong usage or configuration.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_reliability import api, plugins
from pytest_reliability.contracts import Canvas, Check, UsageError
from pytest_reliability.model.nodes import Rewrite
from pytest_reliability.policy.selection import matches, require_known, select
from pytest_reliability.report import Finding, Report, Severity

if TYPE_CHECKING:
    from pytest_reliability.generate_command import Written

BADGE = ".reliability/badge.svg"
"""Where the badge is kept in a repository."""

FOR_PEOPLE = ("terminal", "summary")
"""Reporters whose paths are clicked where the user stands; programs get them from the folder checked, if we stand inside it."""

DEBUG = "RELIABILITY_DEBUG"
"""The environment variable that lets a crash of ours show its traceback."""

GOOD, FINDINGS, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_SCOPES = {"all": api.Scope(), "local": api.Scope(repo_wide=False), "repository": api.Scope(local=False)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    gc.disable()  # a short-lived process that builds large trees: collecting on the way costs more than building
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show 信頼性 must not end in a traceback
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except UsageError as error:
        print(f"reliability: {error}", file=sys.stderr)
        return WRONG_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough; Python would complain once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINDINGS
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        if isinstance(error, OSError):  # the machine said no: a full disk, a file that may not be read, a folder that has gone
            print(f"reliability: {_refusal(error)}", file=sys.stderr)
            return WRONG_USAGE
        print(f"reliability: a mistake of ours, not of yours: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"  please report it with what {DEBUG}=1 reliability … prints", file=sys.stderr)
        return WRONG_USAGE


def _refusal(error: OSError) -> str:
    """What the operating system refused, and where."""
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, FileNotFoundError):  # only the question where we are names no file
        return "the folder you are in is no longer there\n  go to one that is"
    return error.strerror or str(error)


# What people type


def _parser() -> argparse.ArgumentParser:
    display = argparse.ArgumentParser(add_help=False)
    display.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal only)"
    )
    amount = display.add_mutually_exclusive_group()
    amount.add_argument(
        "-q", "--quiet", action="store_true", help="print nothing when all is well, and findings without a summary"
    )
    amount.add_argument("-v", "--verbose", action="count", default=0, help="print everything, nothing cut short")

    parser = argparse.ArgumentParser(
        prog="reliability",
        parents=[display],
        description="Check what a service repository holds for its reliability: SLOs, alerts, runbooks, owners, latency budgets.",
        epilog="Without a command: where this repository stands, and what to do next. More: reliability COMMAND --help",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    parser.set_defaults(run=_status)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, help: str, examples: Iterable[str], run: Any) -> argparse.ArgumentParser:
        epilog = "examples:\n" + "\n".join(f"  {example}" for example in examples)
        added = commands.add_parser(
            name,
            parents=[display],
            help=help,
            description=help[0].upper() + help[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run)
        return added

    check = command(
        "check",
        "check this repository, a folder, or the named files",
        ("reliability check", "reliability check slo/checkout.yaml --format json"),
        _check,
    )
    check.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="one folder, or files: these get the local checks only"
    )
    _selection(check)
    check.add_argument(
        "--scope", choices=_SCOPES, default="all", help="only checks local to a file, or only repository-wide ones"
    )
    check.add_argument(
        "--format",
        default="terminal",
        metavar="FORMAT",
        help="terminal, json, sarif, github, markdown … (default: terminal)",
    )
    check.add_argument("--output", type=Path, metavar="FILE", help="write there instead of printing")
    check.add_argument(
        "--fail-on",
        choices=("error", "warning"),
        default="error",
        help="how bad a finding must be to exit with 1 (default: error)",
    )

    fix = command(
        "fix",
        "mend what takes no thought, in place",
        ("reliability fix", "reliability fix slo/checkout.yaml --select SLO101 --diff"),
        _fix,
    )
    fix.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="one folder, or files: these get the local checks only")
    _selection(fix)
    fix.add_argument("--diff", action="store_true", help="show the changes and write nothing; exit with 1 where there are any")

    explain = command(
        "explain",
        "say why a check matters, and what to do about it",
        ("reliability explain ALR002", "reliability explain missing-runbook"),
        _explain,
    )
    explain.add_argument("code", metavar="CODE", help="the code or the name of a check")

    listing = command("list", "list the checks there are", ("reliability list", "reliability list --select RUN"), _list)
    _selection(listing)

    budget = command(
        "budget",
        "judge latency budgets on what a load engine measured",
        (
            'reliability budget --from k6.json "p95=50ms" "errors=1%"',
            "reliability budget --from first.jtl --from second.jtl --slo checkout-latency --of 'POST /checkout'",
        ),
        _budget,
    )
    budget.add_argument("budgets", nargs="*", metavar="BUDGET", help='such as p95=50ms, "99%% under 300ms", max=1s, errors=1%%')
    budget.add_argument(
        "--from",
        dest="files",
        action="append",
        required=True,
        metavar="FILE",
        help="results of k6, Locust, wrk2, vegeta, Gatling or JMeter; once for each run, - for standard input",
    )
    budget.add_argument("--merge", action="store_true", help="the files are parts of one run, from several machines")
    budget.add_argument("--slo", metavar="NAME", help="the budget that an SLO of this repository promises")
    budget.add_argument("--of", metavar="OPERATION", help="the operation or route to judge (default: all requests together)")
    budget.add_argument("--strict", action="store_true", help="exit with 1 where a budget is inconclusive, too")
    budget.add_argument("--format", choices=("terminal", "json", "markdown"), default="terminal", help="(default: terminal)")

    history = command(
        "history",
        "show what earlier runs measured",
        ("reliability history", "reliability history --of checkout --csv otava > otava.yaml"),
        _history,
    )
    history.add_argument("path", nargs="?", type=Path, metavar="FOLDER", help="a folder in a repository (default: this one)")
    history.add_argument("--of", default="", metavar="TEXT", help="only tests, operations and budgets with this in their names")
    history.add_argument(
        "--machine", metavar="NAME", help="a class of machines, part of its name, or all (default: machines like this one)"
    )
    form = history.add_mutually_exclusive_group()
    form.add_argument("--format", choices=("terminal", "json"), default="terminal", help="(default: terminal)")
    form.add_argument(
        "--csv", type=Path, metavar="FOLDER", help="write tables for Apache Otava there, and print an otava.yaml to them"
    )

    slo = command(
        "slo",
        "show error budgets, and when the alerts on them fire",
        ("reliability slo", "reliability slo --format svg --output docs/error-budgets.svg"),
        _slo,
    )
    slo.add_argument("path", nargs="?", type=Path, metavar="FOLDER", help="a service's folder (default: this repository)")
    slo.add_argument(
        "--format", choices=("terminal", "json", "markdown", "svg", "html"), default="terminal", help="(default: terminal)"
    )
    slo.add_argument("--output", type=Path, metavar="FILE", help="write there instead of printing")

    _generation(command)

    badge = command(
        "badge",
        "make the badge that shows where this repository stands",
        ("reliability badge --output badge.svg", "reliability badge --write"),
        _badge,
    )
    badge.add_argument("path", nargs="?", type=Path, metavar="FOLDER", help="the folder to check (default: this repository)")
    badge.add_argument(
        "--format", choices=("svg", "shields"), default="svg", help="an SVG picture, or JSON for a shields.io endpoint"
    )
    badge.add_argument("--label", default=None, help="the words on the left, such as 信頼性 (default: reliability)")
    target = badge.add_mutually_exclusive_group()
    target.add_argument("--output", type=Path, metavar="FILE", help="write there instead of printing")
    target.add_argument(
        "--write", action="store_true", help="write .reliability/badge.svg and keep the README's badge up to date"
    )
    target.add_argument("--check", action="store_true", help="change nothing; exit with 1 where --write would change something")
    return parser


def _selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--select", action="append", default=[], metavar="X", help="only these: codes, prefixes or names, with commas"
    )
    parser.add_argument("--ignore", action="append", default=[], metavar="X", help="all but these")


def _generation(command: Callable[..., argparse.ArgumentParser]) -> None:
    """`generate rules` and `generate tests`."""
    generate = command(
        "generate",
        "write Prometheus rules from SLOs, and tests of them",
        (
            "reliability generate rules slo/checkout.yaml --output rules/checkout.rules.yaml",
            "reliability generate tests rules/checkout.rules.yaml --output rules/checkout.test.yaml",
        ),
        None,
    )
    what = generate.add_subparsers(title="what to write", metavar="WHAT", required=True)
    rules = what.add_parser("rules", help="recording rules, and alerts on how fast error budgets burn")
    rules.set_defaults(run=_generate_rules)
    rules.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files with SLOs, or folders (default: all here)")
    rules.add_argument("--style", choices=("own", "sloth"), default="own", help="sloth: the same rules as Sloth's (default: own)")
    rules.add_argument(
        "--format",
        dest="form",
        choices=("prometheus", "prometheusrule"),
        default="",
        help="a file for Prometheus, or a resource for its operator (default: what suits the spec)",
    )
    rules.add_argument("--exact", action="store_true", help="weight the error ratio of the whole period by requests")
    rules.add_argument(
        "--min-errors", type=int, default=0, metavar="N", help="alert only after N bad events, where there is little traffic"
    )
    rules.add_argument("--period", default="", metavar="TIME", help="count budgets over that time, such as 28d")
    rules.add_argument("--windows", type=Path, metavar="FILE", help="alert windows of your own: a file of kind AlertWindows")
    rules.add_argument("--label", dest="labels", action="append", default=[], metavar="KEY=VALUE", help="a label for every rule")
    rules.add_argument("--no-alerts", dest="alerts", action="store_false", help="recording rules only")
    rules.add_argument("--no-recordings", dest="recordings", action="store_false", help="alerts only")
    rules.add_argument("--output", type=Path, metavar="PATH", help="write to that file, or into that folder, instead of printing")
    rules.add_argument("--update", action="store_true", help="generate again whatever was generated before, where it is stale")
    tests = what.add_parser("tests", help="unit tests of generated rules, for promtool test rules")
    tests.set_defaults(run=_generate_tests)
    tests.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files of generated rules (default: all here)")
    tests.add_argument("--output", type=Path, metavar="PATH", help="write to that file, or into that folder, instead of printing")


class _Version(argparse.Action):
    """Prints the version; asks the distribution's metadata only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"reliability {version('pytest-reliability')}")
        parser.exit()


# What the commands do


def _status(options: argparse.Namespace) -> int:
    """Where the repository stands; nobody asked to be stopped."""
    catalogue = plugins.load()
    root, _ = api.place_of(None)
    report = _seen_from_here(api.review(root, catalogue=catalogue), root)
    print(catalogue.reporter("summary").render(report, _canvas(options)), end="")
    return GOOD


def _check(options: argparse.Namespace) -> int:
    catalogue = plugins.load()
    reporter = catalogue.reporter(options.format)
    root, folder, only = _target(options.paths)
    scope = replace(_SCOPES[options.scope], selected=_words(options.select), ignored=_words(options.ignore))
    report = api.review(root, folder=folder, scope=scope, only=only, catalogue=catalogue)
    if reporter.name in FOR_PEOPLE or root.is_relative_to(Path.cwd()):
        report = _seen_from_here(report, root)
    fails = report.fails(Severity(options.fail_on))
    if fails or not options.quiet:
        _write(reporter.render(report, _canvas(options)), options.output)
    return FINDINGS if fails else GOOD


def _fix(options: argparse.Namespace) -> int:
    from pytest_reliability import fix_command

    root, folder, only = _target(options.paths)
    scope = api.Scope(selected=_words(options.select), ignored=_words(options.ignore))
    fixes = fix_command.prepared(root, folder=folder, only=only, scope=scope)
    canvas = _canvas(options)
    if options.diff:
        print(fix_command.diff(fixes, canvas), end="")
    else:
        fix_command.written(fixes)
    if not options.quiet:
        said = fix_command.told(fixes, canvas) + fix_command.counted(fixes, would=options.diff)
        print(said, file=sys.stderr if options.diff else None)
    return FINDINGS if fixes.refused or (options.diff and fixes.after) else GOOD


def _explain(options: argparse.Namespace) -> int:
    checks = plugins.load().checks
    require_known([options.code], checks, "explain")
    canvas = _canvas(options)
    for check in checks:
        if matches(check, options.code):
            print(_page(check, canvas))
    return GOOD


def _list(options: argparse.Namespace) -> int:
    checks = plugins.load().checks
    selected, ignored = _words(options.select), _words(options.ignore)
    require_known((*selected, *ignored), checks, "list")
    shown = select(checks, selected or [check.code for check in checks], ignored)
    width = max((len(check.name) for check in shown), default=0)
    for check in shown:
        level = check.level.value if check.level else "-"
        scope = "repository" if check.repo_wide else "file"
        off = "" if check.on else "  (off unless selected)"
        print(f"{check.code}  {check.name:<{width}}  {check.severity.value:<7}  {level:<6}  {scope:<10}  {check.summary}{off}")
    return GOOD


def _budget(options: argparse.Namespace) -> int:
    from pytest_reliability import budget_command

    measurements = budget_command.judged(options.files, options.budgets, slo=options.slo, of=options.of, merge=options.merge)
    bad = ("fail", "inconclusive") if options.strict else ("fail",)
    fails = any(measurement.outcome in bad for measurement in measurements)
    if fails or not options.quiet:
        _write(budget_command.rendered(measurements, options.format, _canvas(options)), None)
    return FINDINGS if fails else GOOD


def _history(options: argparse.Namespace) -> int:
    from pytest_reliability import history_command

    past = history_command.recalled(options.path, machine=options.machine, of=options.of)
    if options.csv is None:
        print(history_command.rendered(past, options.format, _canvas(options)), end="")
        return GOOD
    told = history_command.tabulated(past, options.csv)
    if not options.quiet:
        print(told, end="")
    return GOOD


def _slo(options: argparse.Namespace) -> int:
    from pytest_reliability import slo_command

    told = slo_command.gathered(options.path, _from_here)
    print(slo_command.warnings(told), end="", file=sys.stderr)
    _write(slo_command.rendered(told, options.format, _canvas(options)), options.output)
    return FINDINGS if told.unread else GOOD


def _generate_rules(options: argparse.Namespace) -> int:
    from pytest_reliability import generate_command

    if options.update:
        return _generated(generate_command.updated())
    names = ("labels", "period", "min_errors", "windows", "style", "form", "exact", "alerts", "recordings")
    wanted = generate_command.options_from(**{name: getattr(options, name) for name in names})
    return _generated(generate_command.rules(options.paths, wanted, options.output))


def _generate_tests(options: argparse.Namespace) -> int:
    from pytest_reliability import generate_command

    return _generated(generate_command.tests(options.paths, options.output))


def _generated(files: Iterable[Written]) -> int:
    """Write the files, or print the only one; what is not in them is told apart."""
    for file in files:
        for note in file.notes:
            print(note, file=sys.stderr)
        if file.text:
            _write(file.text, file.path)
            if file.path is not None:
                print(f"{_from_here(file.path)}: written", file=sys.stderr)
    return GOOD


def _badge(options: argparse.Namespace) -> int:
    from pytest_reliability.reporters import badge

    root, folder = api.place_of(options.path)
    report = api.review(root, folder=folder)
    label = options.label or "reliability"
    if not (options.write or options.check):
        make = badge.shields if options.format == "shields" else badge.badge
        _write(make(report, label=label), options.output)
        return GOOD
    wanted = _badge_files(root / folder, badge.badge(report, label=label), f"{label}: {report.standing.label}")
    stale = {path: text for path, text in wanted.items() if not path.exists() or path.read_bytes() != text.encode()}
    for path, text in stale.items():
        if options.write:
            _write(text, path)
        print(
            f"{_from_here(path)}: written"
            if options.write
            else f"{_from_here(path)}: out of date\n  run: reliability badge --write"
        )
    return FINDINGS if stale and options.check else GOOD


def _badge_files(root: Path, svg: str, alt: str) -> dict[Path, str]:
    """The files that show the badge, with what should be in them."""
    from pytest_reliability.reporters import readme

    path = next((root / name for name in ("README.md", "Readme.md", "readme.md") if (root / name).is_file()), root / "README.md")
    if not path.is_file():
        raise UsageError(
            f"{_from_here(path)}: there is none to show the badge in\n  write one with the line {readme.START}{readme.END}"
        )
    try:
        text = path.read_bytes().decode("utf-8")
        return {root / BADGE: svg, path: readme.update(text, f"![{alt}]({BADGE})")}
    except ValueError as error:
        raise UsageError(f"{_from_here(path)}: {error}") from error


# Between people and reports


def _target(paths: Sequence[Path]) -> tuple[Path, str, list[str] | None]:
    """The root to check, the service's folder in it if one was named, and the files that were named, if any were."""
    if len(paths) == 1 and paths[0].is_dir():
        return *api.place_of(paths[0]), None
    root, _ = api.place_of(None)
    only = []
    for path in paths:
        if path.is_dir():
            raise UsageError(f"{path}: a folder beside other paths\n  check one folder at a time, or name files only")
        if not path.is_file():
            raise UsageError(f"{path}: no such file or folder")
        try:
            only.append(path.resolve().relative_to(root).as_posix())
        except ValueError:
            raise UsageError(f"{path}: lies outside the repository {root}\n  go there first, or name its folder") from None
    return root, "", only or None


def _words(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for text in given for word in text.replace(",", " ").split())


def _canvas(options: argparse.Namespace) -> Canvas:
    from shutil import get_terminal_size

    wanted = options.color
    if wanted == "auto" and not getattr(options, "output", None):
        forced = bool(os.environ.get("FORCE_COLOR"))
        wanted = "always" if not os.environ.get("NO_COLOR") and (forced or sys.stdout.isatty()) else "never"
    return Canvas(
        width=max(40, get_terminal_size((100, 24)).columns),
        colour=wanted == "always",
        verbose=-1 if options.quiet else options.verbose,
    )


def _from_here(path: Path) -> str:
    """A path as seen from where the user stands."""
    return os.path.relpath(path).replace(os.sep, "/")


def _seen_from_here(report: Report, root: Path) -> Report:
    """The report with paths that can be clicked where the user stands."""
    if root == Path.cwd():
        return report

    def seen(finding: Finding) -> Finding:
        at = replace(finding.at, path=_from_here(root / finding.at.path))
        edit = finding.edit
        if isinstance(edit, Rewrite):
            edit = replace(edit, path=_from_here(root / edit.path))
        elif edit is not None:
            edit = replace(edit, at=replace(edit.at, path=_from_here(root / edit.at.path)))
        return replace(finding, at=at, edit=edit)

    outcomes = tuple(replace(outcome, findings=tuple(map(seen, outcome.findings))) for outcome in report.outcomes)
    objectives = tuple(replace(one, at=replace(one.at, path=_from_here(root / one.at.path))) for one in report.objectives)
    return replace(
        report, outcomes=outcomes, objectives=objectives, parts=tuple(_seen_from_here(part, root) for part in report.parts)
    )


def _write(text: str, path: Path | None) -> None:
    if path is None:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    from pytest_reliability.edits import write

    write(path, text)


def _page(check: Check, canvas: Canvas) -> str:
    page = check.page.read_text(encoding="utf-8")
    if not canvas.colour:
        return page
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=StringIO(), width=min(canvas.width, 100), force_terminal=True)
    with console.capture() as captured:
        console.print(Markdown(page))
    return captured.get()
