"""The options for a Terraform plan, and the source that they describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from auditor.cli.options import completion
from auditor.cli.options.shared import ApiOptions, Keys, api_source, given
from auditor.errors import UsageError, about
from auditor.sources import Source
from auditor.text import listed

if TYPE_CHECKING:
    from auditor.acceptance.waivers import Waivers
    from auditor.sources.plan.planned import Estate
    from auditor.sources.plan.source import PlanSource

_F = TypeVar("_F", bound=Callable[..., Any])
#: The value of ``--over`` for the account as it is.
LIVE = "live"

_plan_option = click.option(
    "--terraform-plan",
    metavar="FILE",
    shell_complete=completion.files,
    help="Judge what a plan would create or change: output of `terraform show -json`, - for stdin.",
)
_require_option = click.option(
    "--require-resources",
    is_flag=True,
    help="Treat a plan without any Fivetran resource as inconclusive.",
)
_BESIDE_PLAN = (
    click.option(
        "--over",
        multiple=True,
        metavar="live|SNAPSHOT",
        shell_complete=completion.listings,
        help="Lay the plan over the account as it is now: what gets worse gates; with several"
        " accounts, give --over NAME=SNAPSHOT for each provider configuration.",
    ),
    click.option(
        "--terraform-dir",
        metavar="FOLDER",
        shell_complete=completion.files,
        help="Folder of the plan's .tf files: findings name their lines, and comments in them can"
        " waive rules.",
    ),
    click.option(
        "--on-unknown",
        type=click.Choice(["error", "skip"]),
        default="error",
        show_default=True,
        help="Verdict of a check that depends on values known only after apply.",
    ),
)


class PlanChoice(NamedTuple):
    """The options given for a plan."""

    path: str
    over: tuple[str, ...]
    folder: str | None
    require: bool = False


def plan_options(command: _F) -> _F:
    """Add the options for a Terraform plan."""
    return _plan_option(beside_plan_options(_require_option(command)))


def beside_plan_options(command: _F) -> _F:
    """Add the options that say how a plan is judged, for a command with its own for the plan."""
    for option in reversed(_BESIDE_PLAN):
        command = option(command)
    return command


def check_beside_plan(context: click.Context, plan: str | None) -> None:
    """Raise UsageError for options that do not go with a plan, or not without one."""
    if plan is None:
        lone = given(context, {"over", "require_resources", "terraform_dir"}, "terraform_plan")
        if lone:
            raise UsageError(f"{listed(lone, 'and')} without --terraform-plan: name the plan")
        return
    wrong = given(context, {"snapshot", "group", "schema", "history"}, "terraform_plan")
    if wrong:
        raise UsageError(
            f"{listed(wrong, 'and')} cannot be used with --terraform-plan;"
            " lay the plan over a listing with --over"
        )
    over = context.params.get("over") or ()
    reach = set(ApiOptions.__annotations__) | {"timeout"}
    live = any(name.rpartition("=")[2] == LIVE for name in over)
    if not live and (narrowing := given(context, reach, "terraform_plan")):
        raise UsageError(f"{listed(narrowing, 'and')} cannot apply to a plan: no request is made")
    if plan == "-" and any(name.rpartition("=")[2] == "-" for name in over):
        raise UsageError("--terraform-plan and --over cannot both read standard input")


def plan_source(choice: PlanChoice, api: ApiOptions, keys: Keys) -> PlanSource:
    """Return the plan as a source, laid over what ``--over`` names.

    Raises UsageError for what is not a plan, and for listings that do not fit its accounts.
    """
    from auditor.sources.plan.source import PlanSource

    with about("terraform_plan"):
        source = PlanSource(choice.path, require=choice.require, folder=choice.folder)
    if choice.over:
        source.lay_over(_estates(choice.over, source.estate, api, keys))
    return source


def waivers_beside(source: Source, waivers: Waivers | None, folder: str | None) -> Waivers | None:
    """Return ``waivers`` with those in comments beside the plan's resources. Raises PolicyError."""
    if folder is None:
        return waivers
    from auditor.acceptance.comments import Comment, comment_waivers, together
    from auditor.sources.plan.source import PlanSource

    if not isinstance(source, PlanSource):
        return waivers

    comments = [Comment(*noted) for noted in source.notes_beside()]
    return together(waivers, comment_waivers(comments, folder))


def _estates(
    over: tuple[str, ...], estate: Estate, api: ApiOptions, keys: Keys
) -> Mapping[str, Source]:
    """Return the sources that the plan is laid over, by their accounts."""
    found: dict[str, Source] = {}
    texts = estate.providers.estates(over, estate.accounts)
    for name, text in texts.items():
        # One listing named for several accounts is read once, if they may be one.
        others = [other for other in found if texts[other] == text]
        same = next((o for o in others if estate.providers.may_be_one(o, name)), None)
        if same is None and others and text == LIVE:
            raise UsageError(
                "--over: one API key reads one account; save the others with fetch --account NAME,"
                " and lay the plan over those snapshots"
            )
        # The account's name may come before it.
        given = next((each for each in over if each.endswith(f"={text}")), text)
        with about("over", given):
            found[name] = _estate(text, api, keys) if same is None else found[same]
    return found


def _estate(text: str, api: ApiOptions, keys: Keys) -> Source:
    if text == LIVE:
        # A default that narrows listings is not meant for a plan, which is of the whole account.
        whole: ApiOptions = {**api, "group": None, "schema": None}
        return api_source(whole, keys)
    if not text.strip():
        raise UsageError("--over is empty; write --over live, or name a snapshot")
    from auditor.sources.saved.source import SnapshotSource, check_path

    check_path(text)
    return SnapshotSource(text)
