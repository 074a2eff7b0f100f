"""A fingerprint depends on rule, group and connections, and on nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from auditor.model import Connection, Finding, Severity, Verdict
from auditor.reports.fingerprint import fingerprint
from tests.builders.sample_results import sample_result

FINDING = sample_result().findings[0]
names = st.text(st.characters(exclude_characters="\0"), max_size=4)


def about(rule: str, group: str, *ids: str) -> Finding:
    return structs.replace(
        FINDING,
        rule=replace(FINDING.rule, id=rule),
        group=group,
        connections=tuple(Connection(i, "s", "t", "g") for i in ids),
    )


def test_it_is_stable_across_releases() -> None:
    # A new value here makes every baseline and every dismissed alert of every user worthless.
    assert fingerprint(about("fresh", "", "conn_1")) == "3375ff434b37f479dc8b2d789c99fe7a"


def test_words_and_verdicts_do_not_matter() -> None:
    reworded = structs.replace(
        FINDING,
        message="other",
        note="other",
        verdict=Verdict.KNOWN,
        evidence=(),
        rule=replace(FINDING.rule, title="other", severity=Severity.LOW),
    )
    assert fingerprint(reworded) == fingerprint(FINDING)


def test_the_order_of_connections_does_not_matter() -> None:
    assert fingerprint(about("r", "g", "a", "b")) == fingerprint(about("r", "g", "b", "a"))


@given(
    st.tuples(names, names, st.lists(names, max_size=3)),
    st.tuples(names, names, st.lists(names, max_size=3)),
)
def test_unlike_findings_have_unlike_fingerprints(
    one: tuple[str, str, list[str]], other: tuple[str, str, list[str]]
) -> None:
    same = (*one[:2], sorted(one[2])) == (*other[:2], sorted(other[2]))
    first, second = about(one[0], one[1], *one[2]), about(other[0], other[1], *other[2])
    assert (fingerprint(first) == fingerprint(second)) is same
