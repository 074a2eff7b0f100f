"""``fivetran-auditor validate``: every problem in every policy, with its position."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click
from click.core import ParameterSource

from auditor.acceptance.waivers import (
    Waivers,
    check_terms,
    idle_whiles,
    is_waiver_file,
    rule_problem,
)
from auditor.cli.config.command import Configurable, config_file, of_accounts, placing
from auditor.cli.options import completion
from auditor.cli.options.policies import DEFAULT_PACK, none_own, policy_names
from auditor.cli.options.reports import outdating
from auditor.cli.options.repository import checkout
from auditor.cli.options.rules import waivers_of, waivers_option
from auditor.cli.options.shared import (
    more_policies_option,
    paths_of,
    strict_option,
    var_option,
    variables_of,
)
from auditor.cli.terminal.streams import Terminal, excerpt, style
from auditor.errors import AuditorError, PolicyError, Problem, ReportError, UsageError
from auditor.model import Position
from auditor.output.disk import real
from auditor.output.inputs import Inputs
from auditor.policy.analysis.absences import Absence, absences
from auditor.policy.analysis.claims import analysed
from auditor.policy.language.rules import Ruleset
from auditor.policy.loading.load import load
from auditor.policy.loading.unused_facts import unused
from auditor.policy.testing.files import is_test_file, run_test_file
from auditor.policy.testing.suite import own_tests
from auditor.reports import PROBLEM_REPORTS
from auditor.reports.facts import repository_path
from auditor.reports.writer import Destination, ReportWriter, parse_destination
from auditor.text import listed, one_line, plural, shortened
from auditor.version import __version__

#: How many fields that connections may lack are listed, and how much of each one's rules.
_NOTED = 10
_LONGEST = 60


@click.command(
    name="validate",
    cls=Configurable,
    keys={"paths": "policy", "reports": None, "facts": None, "more": None},
    unread=outdating(PROBLEM_REPORTS, "."),
    short_help="Check policies; list every problem with file:line:column.",
)
@click.argument(
    "paths", nargs=-1, metavar="[FILE|FOLDER|PACK]...", shell_complete=completion.policies
)
@more_policies_option
@var_option
@waivers_option
@strict_option
@click.option(
    "--facts",
    is_flag=True,
    help="Also report your own facts, columns and rows that nothing can use.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=PATH]",
    shell_complete=completion.words(PROBLEM_REPORTS),
    help="sarif or github, for pull requests that change policies; =- is standard output.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only what is wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a bug.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    facts: bool,
    reports: tuple[str, ...],
    quiet: bool,
    **_chosen: object,  # read by _Chosen; verbose from the arguments, where a bug may come first
) -> int:
    """Load policies, everything they extend, and waivers, and report all that is wrong with them.

    Exits with 0 if nothing is wrong, else with 2. Without a path it checks what auditor.yaml names,
    also for each of its accounts, else ./policies, or the pack baseline if there is no such folder.
    Test files beside policies are loaded too, but `test` says whether their tests pass. Paths may
    include waiver files and NAME.test.yaml files, as pre-commit passes them.
    """
    terminal: Terminal = context.obj
    writer = ReportWriter(
        [_destination(text) for text in reports],
        __version__,
        PROBLEM_REPORTS,
        terminal.scrubber.chunks,
    )
    inputs = Inputs()
    inputs.add("--config", config_file(context))
    selections = {_Chosen.of(context): _For("", placing(context))}
    if not _typed(context):
        for name, own in of_accounts(context):
            selections.setdefault(_Chosen.of(own), _For(name, placing(own)))
    for each in selections:
        inputs.add("--waivers", each.waivers)
        for name in each.excused:
            inputs.add("the waivers", name)
    writer.outdate(inputs)
    found = _Validation()
    try:
        for each, whose in selections.items():
            found.check(each, whose, inputs, facts=facts)
    finally:
        writer.prepare(inputs)
    return found.conclude(terminal, writer, quiet=quiet)


class _Chosen(NamedTuple):
    """What is validated together: paths, and how they are read."""

    paths: tuple[str, ...]
    variables: tuple[str, ...]
    waivers: str | None
    strict: bool

    @classmethod
    def of(cls, context: click.Context) -> _Chosen:
        """Return what ``context`` says."""
        params = context.params
        return cls(paths_of(context), params["variables"], params["waivers"], params["strict"])

    @property
    def tests(self) -> list[str]:
        """The test files among the paths."""
        return [name for name in dict.fromkeys(self.paths) if is_test_file(name)]

    @property
    def excused(self) -> list[str]:
        """The waiver files among the paths."""
        return [name for name in dict.fromkeys(self.paths) if is_waiver_file(name)]


class _For(NamedTuple):
    """Whose choice it is: an ``account``'s, or "" for all; ``placed`` adds where it was made."""

    account: str
    placed: Callable[[UsageError], AuditorError]


def _typed(context: click.Context) -> bool:
    """Whether the command line names what to validate: then that is all."""
    sources = (context.get_parameter_source(name) for name in ("paths", "more"))
    return ParameterSource.COMMANDLINE in sources


class _Validation:
    """What was counted in the files, and what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.counted: list[str] = []
        self.absences: list[Absence] = []
        self._none_own = False
        self._read: set[Path] = set()
        self._code = 0

    def check(self, chosen: _Chosen, whose: _For, inputs: Inputs, *, facts: bool) -> None:
        """Record what is wrong with what was ``chosen``."""
        tests, excused = chosen.tests, chosen.excused
        named = tuple(name for name in chosen.paths if name not in {*tests, *excused})
        # Waivers are checked against the policies; tests bring their own.
        names, how = ((), "") if tests and not (named or excused) else policy_names(named)
        self._none_own |= bool(how) and names == (DEFAULT_PACK,)
        ruleset: Ruleset | None = None
        counted = len(self.counted)
        with self.collected(whose):
            if names:
                variables = variables_of(chosen.variables)
                loaded = load(names, variables=variables, strict=chosen.strict, inputs=inputs)
                loaded = analysed(loaded, strict=chosen.strict)
                ruleset = loaded.ruleset
                self.problems += (*loaded.warnings, *(unused(ruleset) if facts else ()))
                rules = plural(len(ruleset.rules), "rule")
                self.counted.append(f"{rules} in {plural(len(ruleset.policies), 'file')}")
                known = {absence.path for absence in self.absences}
                lacking = absences(ruleset.rules, datetime.now(UTC))
                self.absences += (absence for absence in lacking if absence.path not in known)
        conditions = ruleset.conditions if ruleset is not None else None
        for accepting in (*excused,) or (chosen.waivers,):
            with self.collected(whose):
                accepted = waivers_of(accepting, strict=chosen.strict, conditions=conditions)
                self.add_doubts(accepted, ruleset, strict=chosen.strict)
        for test_file in tests:
            with self.collected(whose):
                run = run_test_file(Path(test_file), inputs)
                self.counted.append(f"{plural(len(run), 'test')} in {one_line(test_file)}")
        self.check_beside(names, {real(Path(name)) for name in tests}, whose, inputs)
        if whose.account and len(self.counted) > counted:
            self.counted[counted] = f"and for {whose.account} {self.counted[counted]}"

    def check_beside(
        self, names: Sequence[str], known: set[Path], whose: _For, inputs: Inputs
    ) -> None:
        """Record what is wrong with the test files of the policies ``names``, except ``known``.

        What their tests come to is not looked at.
        """
        files: list[Path] = []
        with self.collected(whose):
            files = [file for file in own_tests(names) if real(file) not in known | self._read]
        for file in files:
            self._read.add(real(file))
            with self.collected(whose):
                run_test_file(file, inputs)
        if files:
            self.counted.append(plural(len(files), "test file"))

    @contextmanager
    def collected(self, whose: _For) -> Iterator[None]:
        """Record what is wrong with the files read inside, and go on with the others.

        What is in no file is raised at once, with the name of the ``account``.
        """
        try:
            yield
        except (PolicyError, UsageError) as error:
            found = whose.placed(error) if isinstance(error, UsageError) else error
            if isinstance(found, PolicyError):
                self.problems += found.problems
                self._code = found.exit_code
            elif whose.account:
                raise UsageError(f"accounts: {whose.account}: {found}") from error
            else:
                raise

    def add_doubts(self, waivers: Waivers | None, ruleset: Ruleset | None, *, strict: bool) -> None:
        """Record what is suspicious in a waiver file."""
        if waivers is None:
            return
        if ruleset is not None:
            check_terms(waivers, (entry.rule for entry in ruleset.rules), datetime.now(UTC))
        doubtful = list(_doubtful(waivers, ruleset))
        self.problems += doubtful
        self._code = PolicyError.exit_code if strict and doubtful else self._code
        self.counted.append(plural(len(waivers.entries), "waiver"))

    def conclude(self, terminal: Terminal, writer: ReportWriter, *, quiet: bool) -> int:
        """Write the reports, print everything, and return the exit code."""
        # A wrong policy is reported once, however many tests it has.
        problems = list(dict.fromkeys(self.problems))
        taken = writer.takes_stdout
        lost: ReportError | None = None
        try:
            writer.write(list(_in_repository(problems)))
        except ReportError as error:
            lost = error
        for problem in problems:
            terminal.say(excerpt(problem), to_err=taken)
        if self._code:
            terminal.say(_in_total(problems), to_err=taken)
        elif not quiet:
            for line in _absence_notes(self.absences):
                terminal.say(line, to_err=taken)
            if self._none_own:
                terminal.say(none_own("checked"), to_err=taken)
            fine = f"{style('fine', 'green')}: {', '.join(self.counted)}"
            warned = f", {plural(len(problems), 'warning')}" if problems else ""
            terminal.say(fine + warned, to_err=taken)
        if lost is not None:
            terminal.complain(str(lost))
            return lost.exit_code
        return self._code


def _doubtful(waivers: Waivers, ruleset: Ruleset | None) -> Iterator[Problem]:
    """Yield what is doubtful in a waiver file; ``ruleset`` is None if the policies are wrong."""
    yield from waivers.warnings
    now = datetime.now(UTC)
    for waiver in waivers.entries:
        if waiver.is_expired(now):
            message, hint = f"this waiver held {waiver.until}", "renew it, or remove it"
            yield Problem(waiver.position, message, hint, warning=True)
        if ruleset is None:
            continue
        ids = [entry.rule.id for entry in ruleset.rules]
        if wrong := rule_problem(waiver, ids, ruleset.disabled):
            yield Problem(waiver.position, wrong, "it waives nothing", warning=True)
    if ruleset is not None:
        yield from idle_whiles(waivers, ruleset)


def _in_repository(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Yield ``problems`` with their files named as the repository's host names them."""
    root = checkout()
    for problem in problems:
        at = problem.position
        if not at.in_pack:
            file = repository_path(at.file, root)
            problem = problem._replace(position=Position(file, at.line, at.column))  # noqa: PLW2901
        yield problem


def _destination(text: str) -> Destination:
    """Return where a report goes; GitHub's commands go to the log unless a file is named."""
    if text == "github":
        return Destination(text, None)
    return parse_destination(text, Path(), PROBLEM_REPORTS)


def _absence_notes(absences: Sequence[Absence]) -> Iterator[str]:
    """Yield what to know before the first run: which checks may be errors, and a way out.

    Not a warning: whether connections lack a field depends on their services.
    """
    if not absences:
        return
    yield f"{style('note', 'cyan')}: connections may lack these fields; a check then is an error:"
    wide = max(len(absence.path) for absence in absences[:_NOTED])
    for absence in absences[:_NOTED]:
        rules = listed([name for name, _ in absence.rules], "and")
        yield f"  {one_line(absence.path):{wide}}  {shortened(rules, _LONGEST)}"
    if len(absences) > _NOTED:
        yield f"  and {plural(len(absences) - _NOTED, 'more field')}"
    path = one_line(absences[0].path)
    yield f"  to skip such connections: when: {{{path}: {{exists: true}}}}"
    yield f"  to fail them: add exists: true to the test of {path}"


def _in_total(problems: Sequence[Problem]) -> str:
    errors = sum(not problem.warning for problem in problems)
    counts = [plural(errors, "error")] if errors else []
    warnings = len(problems) - errors
    counts += [plural(warnings, "warning")] if warnings else []
    return f"{style(listed(counts, 'and'), 'red')}: nothing runs with these files"
