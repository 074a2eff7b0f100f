"""The source over a plan, and what the plan would make of the connections in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from auditor.decoding.listed import Listed
from auditor.decoding.records import Decoder, Shape
from auditor.errors import SourceError, about
from auditor.model import Completeness, Connections, Position, SourceInfo
from auditor.sources.plan.document import HOW, Plan, providers, read_plan, unsettled_checks
from auditor.sources.plan.estate import estate_of
from auditor.sources.plan.files import Folder
from auditor.sources.plan.lists import RowChanges, lay_lists, unlaid
from auditor.sources.plan.overlay import ListedAccount, Overlay, lay
from auditor.sources.plan.planned import Action, Estate, Planned
from auditor.sources.plan.records import FACT, record_of
from auditor.sources.plan.references import split_address
from auditor.sources.stream import Asking, End, Event, FieldReader, Page, Restart, Source
from auditor.text import listed, one_line, plural, printable

#: The name of this kind of source in reports.
KIND = "terraform-plan"
#: Beyond this many of one kind they are counted, not listed.
_LISTED = 20
_WORDS = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "destroyed",
    Action.FORGET: "forgotten",
    Action.NONE: "unchanged",
    Action.OPEN: "changed in a way that is not known",
}
_ENDINGS = {
    Action.DELETE: "destroyed",
    Action.FORGET: "forgotten; the connection stays, outside Terraform",
}


class PlanSource:
    """Implements ``stream.Source`` over the plan at ``path``, or in standard input for ``-``.

    ``require`` makes a plan without a Fivetran resource a problem. ``folder`` has the files that
    were planned: they say where a resource is written, and which instance of another it names.
    Raises UsageError for what is not a plan, or no folder. If it cannot be read to its end, its
    events raise SourceError: the rest was not judged.
    """

    def __init__(self, path: str, *, require: bool = False, folder: str | None = None) -> None:
        self._path = path
        self._over: dict[str, Source] = {}
        #: The other names of each estate's account.
        self._also: dict[str, list[str]] = {}
        self._require = require
        self._broken = ""
        self._plan = Plan()
        #: The planned connections by their position among the records, once they are read.
        self.placed: dict[int, Planned] = {}
        #: How many connections there are to judge, once they are read.
        self.count = 0
        #: The account of each record, None if there is just one.
        self.accounts: list[str] | None = None
        #: The listing as it is, over which the plan is laid.
        self.before: list[Any] = []
        #: The account of each of these, None if there is just one.
        self.accounts_before: list[str] | None = None
        #: Its other lists as they are.
        self.lists: list[Listed] = []
        #: The rows of facts that the plan changes, by the positions of the connections that have
        #: them.
        self.rows: dict[int, RowChanges] = {}
        #: The paths of facts that must not be shown, by the positions of the connections.
        self.veiled: dict[int, frozenset[str]] = {}
        #: The times of what is listed now, and of what was saved.
        self._now: list[datetime] = []
        self._taken: list[datetime | None] = []
        try:
            self._plan = read_plan(path)
        except SourceError as error:
            self._broken = str(error)
        configured = self._plan.configured
        with about("terraform_dir"):
            self._folder = Folder(folder, configured) if folder is not None else None
        try:
            self.estate = _estate(self._plan, path, self._folder)
        except SourceError as error:
            self._broken = str(error)
            self.estate = estate_of(Plan())

    def lay_over(self, estates: Mapping[str, Source]) -> None:
        """Lay the plan over ``estates``, by their accounts in the plan.

        The name of a plan's only account does not matter. One estate under several names means that
        they are one account, if the plan leaves that open. Raises UsageError if the plan shows that
        they are not, or has other accounts.
        """
        names, providers = self.estate.accounts, self.estate.providers
        self._over, self._also = {}, {}
        for name, source in estates.items():
            first = next((n for n, known in self._over.items() if known is source), name)
            self._over.setdefault(first, source)
            self._also.setdefault(first, []).append(name)
        for several in self._also.values():
            providers.check_one(several)
        if len(self._over) == 1:
            providers.check_one(names)

    @property
    def live(self) -> bool:
        """Whether an estate is listed by the API."""
        return any(source.live for source in self._over.values())

    @property
    def waiting(self) -> str:
        """What an estate's API is asked for now; "" for nothing."""
        sources = self._over.values()
        return next((s.waiting for s in sources if isinstance(s, Asking) and s.waiting), "")

    @property
    def reads(self) -> frozenset[str]:
        """The fields that the estates read in each record."""
        sources = self._over.values()
        return frozenset().union(*(s.reads for s in sources if isinstance(s, FieldReader)))

    @property
    def alone(self) -> bool:
        """Whether the plan is laid over nothing."""
        return not self._over

    @property
    def over(self) -> str:
        """What the plan is laid over, in words; "" for nothing."""
        return listed([source.info.location for source in self._over.values()], "and")

    @property
    def info(self) -> SourceInfo:
        """The plan's file, and the address and filters of what it is laid over."""
        infos = [source.info for source in self._over.values()]
        location = f"{self._path} over {self.over}" if infos else self._path
        filters = tuple(sorted({pair for info in infos for pair in info.filters}))
        # The rest of what it is laid over is an option of the command, as it was given.
        reached = [word for each in self._over.values() if each.live for word in each.info.again]
        return SourceInfo(
            KIND,
            location,
            filters,
            infos[0].base_url if infos else "",
            again=("--terraform-plan", printable(self._path), *reached),
        )

    def events(self, decoder: Decoder) -> Iterator[Event]:
        """Yield the connections that there would be. Raises SourceError for a damaged plan."""
        if self._broken:
            raise SourceError(self._broken)
        assert isinstance(decoder, Shape)
        if self._over:
            yield from self._laid_over(decoder)
            return
        judged = self.judged(decoder)
        self.placed, self.count = dict(enumerate(judged)), len(judged)
        if len(self.estate.accounts) > 1:
            self.accounts = [planned.account for planned in judged]
        records: list[Any] = [record_of(decoder, planned) for planned in judged]
        yield Page(records, identities=identities(judged))
        yield self.end()

    def _laid_over(self, shape: Shape) -> Iterator[Event]:
        listed_accounts: list[ListedAccount] = []
        ends: list[End] = []
        for name, source in self._over.items():
            account, end = self._listed(name, source, shape)
            listed_accounts.append(account)
            ends.append(end)
        self.before = [record for account in listed_accounts for record in account.records]
        several = len(listed_accounts) > 1
        if several:
            self.accounts_before = [each.name for each in listed_accounts for _ in each.records]
        overlay = lay(self.estate, listed_accounts, shape)
        self.placed, self.count = overlay.placed, len(overlay.records)
        self.rows, self.veiled = overlay.rows, overlay.veiled
        self.accounts = overlay.accounts if several else None
        overlay.problems += unlaid(self.estate.altered, shape.lists)
        problems = [p for account in listed_accounts for p in account.problems]
        if len(self._over) == 1:  # With several accounts, nobody knows whose facts are whose.
            self.lists = listed_accounts[0].lists
            yield from lay_lists(self.estate.altered, self.lists, shape)
        yield Page(
            overlay.records,
            tuple(problems),
            tuple(w for account in listed_accounts for w in account.warnings),
            as_of=self._as_of(),
            identities=overlay.identities,
            taken=tuple(dict.fromkeys(self._taken)),
        )
        yield self._end_over(ends, overlay)

    def _listed(self, name: str, source: Source, shape: Shape) -> tuple[ListedAccount, End]:
        also = tuple(self._also[name])
        account, end = ListedAccount(name, also=also), None
        for event in source.events(shape):
            match event:
                case Page():
                    account.records += event.records
                    account.problems += event.problems
                    account.warnings += event.warnings
                    self._taken += event.taken
                    if event.as_of is not None and not event.taken:
                        self._now.append(event.as_of)
                case Listed():
                    account.lists.append(event)
                case Restart():
                    account = ListedAccount(name, lists=account.lists, also=also)
                case End():
                    end = event
        if end is None:
            raise SourceError("the listing stopped without an end")
        return account, end

    def _as_of(self) -> datetime | None:
        """Return the oldest time at the sources; where one of them is listed now, at that one."""
        return min(self._now or filter(None, self._taken), default=None)

    def _end_over(self, ends: Sequence[End], overlay: Overlay) -> End:
        own = self.end()
        problems = (
            *own.problems,
            *_first(overlay.problems),
            *(p for e in ends for p in e.problems),
        )
        warnings = (*own.warnings, *overlay.warnings, *(w for e in ends for w in e.warnings))
        # As little as is known about the least known estate.
        completeness = max((end.completeness for end in ends), key=list(Completeness).index)
        if problems:
            completeness = Completeness.INCOMPLETE
        return End(completeness, max(end.walks for end in ends), problems, warnings)

    def ends(self, name: str) -> bool:
        """Whether a connection of this id, name or address would end."""
        return any(
            name in {each.identity, each.real_id, each.address, each.shown("schema")}
            for each in self.estate.connections
            if each.ends
        )

    def judged(self, shape: Shape) -> list[Planned]:
        """Return the connections to judge: none if nothing changes.

        Connections that end are judged by rules on the change itself, and left out if there are
        none.
        """
        if not self.estate.changes:
            return []
        with_ending = FACT in shape.root.children
        return [p for p in self.estate.connections if with_ending or not p.ends]

    def end(self) -> End:
        """Return how complete the plan is, and what is odd about it."""
        problems = (*self._problems(), *_first(self.estate.problems))
        warnings = [*_first(self.estate.warnings), *unsettled_checks(self._plan)]
        if self._require and not self.has_resources:
            problems = (*problems, "the plan holds no Fivetran resource (--require-resources)")
        known = self._plan.complete is not msgspec.UNSET
        if not known and self.estate.changes:
            warnings.append(
                "the plan does not say whether it is complete, as one of Terraform 1.8 or newer"
                " does: -target would not be seen"
            )
        whole = Completeness.PLAN if known else Completeness.UNKNOWN
        completeness = Completeness.INCOMPLETE if problems else whole
        return End(completeness, problems=problems, warnings=tuple(warnings))

    def notes(self) -> list[str]:
        """Return what every report says about the plan: who made it, what it does, what ends."""
        if self._broken:
            return []
        estate, version = self.estate, one_line(self._plan.terraform_version, 40)
        tofu = any("opentofu" in name for name in providers(self._plan))
        made = f"{'OpenTofu' if tofu else 'Terraform'} {version}".strip()
        by = one_line(listed(providers(self._plan), "and"))
        notes = [f"the plan was made by {made}{f' with {by}' if by else ''}; {self.changes()}"]
        ends = [
            f"{one_line(p.address)} ({one_line(p.identity)}): {_ENDINGS[p.action]}"
            for p in estate.connections
            if p.ends
        ]
        return [*notes, *_first(ends), *_first(estate.remarks)]

    def changes(self) -> str:
        """Return how many connections the plan creates, updates, and so on."""
        counted = [
            (sum(p.action is action for p in self.estate.connections), word)
            for action, word in _WORDS.items()
        ]
        said = ", ".join(f"{count:,} {word}" for count, word in counted if count)
        return f"connections: {said}" if said else "it speaks of no connection"

    @property
    def nothing(self) -> str:
        """Why there is nothing to judge, in words; "" if there is something."""
        if self._broken or self.placed:
            return ""
        if not self.has_resources and self.alone:
            return "the plan holds no Fivetran resource; nothing was judged"
        if not self.estate.changes and self.alone:
            return "nothing would change; nothing was judged"
        if self.alone:
            return (
                f"the plan changes no connection that stays; nothing was judged ({self.changes()})"
            )
        return ""

    @property
    def has_resources(self) -> bool:
        """Whether the plan, or its configuration, has any Fivetran resource."""
        if self.estate.resources:
            return True
        modules = [self._plan.configured.root_module]
        while modules:
            module = modules.pop()
            if any(r.type.startswith("fivetran_") for r in module.resources):
                return True
            modules += [call.module for call in module.module_calls.values()]
        return False

    @property
    def unnamed_groups(self) -> frozenset[str]:
        """The ids of groups whose names must not be shown."""
        return frozenset(
            change.will
            for change in self.estate.altered
            if change.fact == "group" and change.attributes.sensitive("name")
        )

    def locate(self, address: str, attribute: str) -> Position | None:
        """Return where an attribute of a resource is written, None if not known."""
        if self._folder is None:
            return None
        module, name = split_address(address)
        return self._folder.locate(module, name, attribute)

    def notes_beside(self) -> Iterator[tuple[Position, str, tuple[str, ...]]]:
        """Yield the comments beside resources: position, words, and the connections they are for.

        Connections are named by address; a resource that is not in the plan by its own.
        """
        if self._folder is None:
            return
        by_resource: dict[tuple[tuple[str, ...], str], list[str]] = {}
        for planned in self.estate.connections:
            for resource in planned.resources or [planned.address]:
                by_resource.setdefault(split_address(resource), []).append(planned.address)
        for module, name, position, text in self._folder.comments():
            own = ".".join([*(f"module.{m}" for m in module), name])
            yield position, text, tuple(by_resource.get((module, name), [own]))

    def _problems(self) -> Iterator[str]:
        plan = self._plan
        if plan.errored:
            yield "the plan has errors: whatever failed is not in it; correct it and plan again"
        elif plan.complete is False:
            yield (
                "the plan is not complete: it was made with -target, or changes were put off; plan"
                " without -target, or apply and plan again"
            )
        if left_out := plan.left_out():
            others = f" and {len(left_out) - 1:,} more" if len(left_out) > 1 else ""
            yield (
                f"the plan was shortened: it lists {one_line(left_out[0])}{others} without saying"
                " in resource_changes what is done; use all that `terraform show -json` writes"
            )
        if plan.deferred_changes:
            count = plural(len(plan.deferred_changes), "change")
            yield f"{count} of the plan put off until a later one: apply, and plan again"


def identities(planned: Sequence[Planned]) -> Connections:
    """Return the names of planned connections; "" if not known."""
    return Connections(
        [p.identity for p in planned],
        [p.shown("service") for p in planned],
        [p.shown("schema") for p in planned],
        [p.shown("group_id") for p in planned],
        [p.address for p in planned],
    )


def _estate(plan: Plan, path: str, folder: Folder | None) -> Estate:
    try:
        return estate_of(plan, folder.text if folder is not None else None)
    except (msgspec.MsgspecError, RecursionError) as error:
        name = "standard input" if path == "-" else printable(path)
        raise SourceError(f"{name}: the plan is damaged: {error}; {HOW}") from error


def _first(texts: Sequence[str]) -> tuple[str, ...]:
    rest = len(texts) - _LISTED
    return (*texts[:_LISTED], f"and {rest:,} more like these") if rest > 0 else tuple(texts)
