"""Addresses of a plan, taken apart: modules, instances and keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from auditor.model import Position
from auditor.sources.plan.document import (
    Configuration,
    ConfiguredResource,
    Expression,
    Module,
    ModuleCall,
)
from auditor.sources.plan.files import Folder
from auditor.sources.plan.references import (
    Key,
    Place,
    References,
    Undecided,
    parse_key,
    parse_where,
    split_address,
)


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("", ()),
        ("module.a", (("a", None),)),
        ('module.a["x"].module.b[3]', (("a", "x"), ("b", 3))),
        ('module.a["x.y[0]"]', (("a", "x.y[0]"),)),
        ('module.a["q\\"q"].module.b', (("a", 'q"q'), ("b", None))),
    ],
)
def test_a_module_instance_is_its_calls_and_keys(address: str, where: tuple[object, ...]):
    assert parse_where(address) == where


@pytest.mark.parametrize(
    ("text", "key"), [(None, None), ("0", 0), ("12", 12), ('"0"', "0"), ('"a b"', "a b")]
)
def test_a_number_and_a_text_are_two_keys(text: str | None, key: object):
    assert parse_key(text) == key
    assert type(parse_key(text)) is type(key)


@pytest.mark.parametrize(
    ("address", "split"),
    [
        ("fivetran_connector.a", ((), "fivetran_connector.a")),
        ('module.m["x"].fivetran_connector.a[0]', (("m",), "fivetran_connector.a")),
        ("module.m.module.n.fivetran_group.g", (("m", "n"), "fivetran_group.g")),
    ],
)
def test_an_address_leads_through_modules_to_a_name(address: str, split: object):
    assert split_address(address) == split


CONNECTION, SCHEDULE = "fivetran_connector.c", "fivetran_connector_schedule.s"


def _joined(
    index: str,
    each: Expression | None,
    keys: list[Key],
    others: list[Key],
    files: str | None = None,
    was: Key = None,
) -> list[Key]:
    """Return the key of the connection that each schedule is for; "?" if that is not decided.

    A schedule names it as ``fivetran_connector.c[INDEX].id``, or by ``each.value`` alone. It was
    for the connection ``was`` so far, and is in ``files``.
    """
    schedule = ConfiguredResource(SCHEDULE, SCHEDULE.partition(".")[0], for_each_expression=each)
    configured = Configuration(root_module=Module(resources=[schedule]))
    held = [Place((), SCHEDULE, key) for key in keys]
    places = [*held, *(Place((), CONNECTION, key) for key in others)]
    texts = Folder(files, configured).text if files is not None else None
    found = References(configured, places, texts)
    attribute = Expression(["each.value.id", "each.value"] if not index else [CONNECTION, index])
    before = Place((), CONNECTION, was) if was is not None else None
    targets = [found.target(attribute, place, "connector_id", before) for place in held]
    return ["?" if isinstance(each, Undecided) else each.key for each in targets]


def _file(folder: Path, connector_id: str, each: str = "", *, plain: bool = True) -> str:
    """Write a schedule; return its folder."""
    if plain:
        over = f"  for_each = {each}\n" * bool(each)
        text = f'resource "{SCHEDULE.replace(".", chr(34) + " " + chr(34))}" {{\n{over}'
        (folder / "main.tf").write_text(f"{text}  connector_id = {connector_id}\n}}\n")
        return str(folder)
    kind, name = SCHEDULE.split(".")
    set_to = {"connector_id": f"${{{connector_id}}}"} | (
        {"for_each": f"${{{each}}}"} if each else {}
    )
    (folder / "main.tf.json").write_text(json.dumps({"resource": {kind: {name: set_to}}}))
    return str(folder)


@pytest.mark.parametrize(
    ("index", "each", "joined"),
    [
        ("each.key", Expression(["var.any"]), ["a", "b"]),
        ("each.value", Expression(), ["a", "b"]),  # toset([...])
        ("each.value", Expression(constant_value={"a": "b", "b": "a"}), ["b", "a"]),
        ("each.value", Expression(constant_value={"a": "b", "b": "other"}), ["b", "?"]),
        ("each.value", Expression(constant_value={"a": {"c": "b"}}), ["?", "?"]),
        ("each.value.c", Expression(constant_value={"a": {"c": "b"}, "b": {}}), ["b", "?"]),
        ("each.value.c", Expression(constant_value={"a": "b", "b": "a"}), ["?", "?"]),
        ("each.value.c", Expression(["var.any"]), ["?", "?"]),
    ],
)
def test_the_value_of_a_map_is_another_key_than_its_own(
    index: str, each: Expression, joined: list[Key]
):
    """A schedule of every connection, each under another's name, is not the wrong one's."""
    assert _joined(index, each, ["a", "b"], ["a", "b"]) == joined


def test_some_of_many_by_number_may_be_any_of_them():
    """``[count.index + 1]`` and a slice leave the same references as ``[count.index]``."""
    assert _joined("count.index", None, [0, 1], [0, 1]) == [0, 1]
    assert _joined("count.index", None, [0, 1], [0, 1, 2]) == ["?", "?"]


C = CONNECTION
TEXTS = [
    # What is between the brackets, its reference, and whether it is all.
    ("count.index", f"{C}[count.index].id", True),
    ("count.index", f'"${{{C}[count.index].id}}"', True),
    ("count.index", f"{C}[ # why\n    count.index /* here */\n  ].id // so", True),
    ("count.index", f"{C}[1 - count.index].id", False),
    ("count.index", f"{C}[count.index + 0].id", False),
    ("count.index", f"element({C}[*].id, count.index + 1)", False),
    ("count.index", f"reverse({C}[*].id)[count.index]", False),
    ("count.index", f"{C}[count.index == 0 ? 1 : 0].id", False),
    ("count.index", f"{C}[count.index].group_id", False),
]


@pytest.mark.parametrize(("index", "text", "sure"), TEXTS)
def test_an_index_is_what_the_file_has_between_the_brackets(
    tmp_path: Path, index: str, text: str, sure: bool
):
    """Terraform writes the same references for all of them."""
    joined = [0, 1] if sure else ["?", "?"]
    assert _joined(index, None, [0, 1], [0, 1], _file(tmp_path, text)) == joined
    assert _joined(index, None, [0, 1], [0, 1]) == [0, 1]  # No file, nothing that shows it.


@pytest.mark.parametrize(("text", "sure"), [("each.key", True), ('each.key == "a" ? "b" : "a"', 0)])
@pytest.mark.parametrize("plain", [True, False])
def test_a_key_is_what_the_file_has_in_both_of_its_syntaxes(
    tmp_path: Path, text: str, sure: bool, plain: bool
):
    files = _file(tmp_path, f"{C}[{text}].id", plain=plain)
    joined = ["a", "b"] if sure else ["?", "?"]
    assert _joined("each.key", Expression(["var.any"]), ["a", "b"], ["a", "b"], files) == joined


def test_where_the_file_shows_the_number_there_may_be_more_of_the_others(tmp_path: Path):
    files = _file(tmp_path, f"{C}[count.index].id")
    assert _joined("count.index", None, [0, 1], [0, 1, 2], files) == [0, 1]


@pytest.mark.parametrize(
    ("each", "sure"),
    [
        ('toset(["a", "b"])', True),
        ("toset(var.any)", True),
        ('tomap({a = "b", b = "a"})', False),
        ("var.any", False),
        ("", True),  # Not found in the file.
    ],
)
def test_a_value_is_its_own_key_in_a_set(tmp_path: Path, each: str, sure: bool):
    files = _file(tmp_path, f"{C}[each.value].id", each)
    joined = ["a", "b"] if sure else ["?", "?"]
    assert _joined("each.value", None, ["a", "b"], ["a", "b"], files) == joined


def test_a_value_of_a_map_is_what_the_map_has(tmp_path: Path):
    swapped = Expression(constant_value={"a": "b", "b": "a"})
    files = _file(tmp_path, f"{C}[each.value].id", '{ a = "b", b = "a" }')
    assert _joined("each.value", swapped, ["a", "b"], ["a", "b"], files) == ["b", "a"]
    files = _file(tmp_path, f"{C}[upper(each.value)].id", '{ a = "b", b = "a" }')
    assert _joined("each.value", swapped, ["a", "b"], ["a", "b"], files) == ["?", "?"]


@pytest.mark.parametrize(
    ("each", "sure"),
    [
        (C, True),
        (f"{{ for k, c in {C} : k => c }}", True),
        (f"{{ for k, c in {C} : k => c.id if c.service == var.x }}", True),
        (f'{{ for name in ["a", "b"] : name => {C}[name].id }}', True),
        (f"{{ for name, x in {{a = 1, b = 2}} : name => {C}[name] }}", True),
        (f'{{ for k, c in {C} : (k == "a" ? "b" : "a") => c }}', False),
        (f'{{ for k in ["a", "b"] : k => {C}[k == "a" ? "b" : "a"] }}', False),
        (f"zipmap(reverse(keys({C})), values({C}))", False),
    ],
)
def test_what_is_iterated_over_has_its_own_keys(tmp_path: Path, each: str, sure: bool):
    files = _file(tmp_path, "each.value.id", each)
    joined = ["a", "b"] if sure else ["?", "?"]
    assert _joined("", Expression([C]), ["a", "b"], ["a", "b"], files) == joined
    assert _joined("", Expression([C]), ["a", "b"], ["a", "b"]) == ["a", "b"]


def test_an_index_that_named_another_so_far_is_in_doubt(tmp_path: Path):
    """The plan's own sign: what it is so far, and stays, is not what equal keys say."""
    assert _joined("count.index", None, [0], [0], was=0) == [0]
    assert _joined("count.index", None, [0, 1], [0, 1], was=1) == ["?", 1]
    each = Expression([C])
    assert _joined("each.key", each, ["a", "b"], ["a", "b"], was="b") == ["?", "b"]
    assert _joined("", each, ["a", "b"], ["a", "b"], was="b") == ["?", "b"]
    # A map that is written out, or a file, shows the change.
    swapped = Expression(constant_value={"a": "b", "b": "a"})
    assert _joined("each.value", swapped, ["a", "b"], ["a", "b"], was="b") == ["b", "a"]
    assert _joined("each.key", swapped, ["a", "b"], ["a", "b"], was="b") == ["?", "b"]
    files = _file(tmp_path, f"{C}[count.index].id")
    assert _joined("count.index", None, [0, 1], [0, 1], files, was=1) == [0, 1]


def _called(folder: Path, given: str, expression: object, over: str, keys: list[Key]) -> list[Key]:
    """Return the keys as ``_joined`` does, of schedules in a module that is given ``given``.

    ``over`` is what the schedule iterates over, "" for the module itself being there many times.
    """
    inside = ConfiguredResource(
        SCHEDULE, SCHEDULE.partition(".")[0], for_each_expression=Expression(["var.all"])
    )
    call = ModuleCall(
        "./m",
        {"all": msgspec.Raw(json.dumps(expression).encode())},
        Module(resources=[inside if over else ConfiguredResource(SCHEDULE)]),
    )
    configured = Configuration(root_module=Module(module_calls={"m": call}))
    (folder / "m").mkdir()
    _file(folder / "m", "each.value.id" if over else "var.all", over)
    (folder / "main.tf").write_text(f'module "m" {{\n  source = "./m"\n  all = {given}\n}}\n')
    held = [Place((("m", None if over else k),), SCHEDULE, k if over else None) for k in keys]
    places = [*held, *(Place((), CONNECTION, key) for key in keys)]
    found = References(configured, places, Folder(str(folder), configured).text)
    attribute = Expression(["each.value.id", "each.value"] if over else ["var.all"])
    targets = [found.target(attribute, place, "connector_id") for place in held]
    return ["?" if isinstance(each, Undecided) else each.key for each in targets]


@pytest.mark.parametrize(
    ("given", "over", "sure"),
    [
        (C, "var.all", True),
        (f"{{ for k, c in {C} : k => c }}", "var.all", True),
        (f'{{ for k, c in {C} : (k == "a" ? "b" : "a") => c }}', "var.all", False),
        (C, "{ for k, c in var.all : reverse(k) => c }", False),
    ],
)
def test_what_a_module_is_given_is_read_too(tmp_path: Path, given: str, over: str, sure: bool):
    joined = ["a", "b"] if sure else ["?", "?"]
    assert _called(tmp_path, given, {"references": [C]}, over, ["a", "b"]) == joined


@pytest.mark.parametrize(("index", "sure"), [("count.index", True), ("1 - count.index", False)])
def test_an_index_in_the_call_of_a_module_is_read_too(tmp_path: Path, index: str, sure: bool):
    given = {"references": [C, "count.index"]}
    joined = [0, 1] if sure else ["?", "?"]
    assert _called(tmp_path, f"{C}[{index}].id", given, "", [0, 1]) == joined


def test_some_of_many_by_the_number_of_a_module_may_be_any_of_them():
    call = ModuleCall(
        expressions={"all": msgspec.Raw(json.dumps({"references": [C, "count.index"]}).encode())}
    )
    configured = Configuration(root_module=Module(module_calls={"m": call}))
    held = [Place((("m", key),), SCHEDULE) for key in (0, 1)]
    for others, decided in (([0, 1], True), ([0, 1, 2], False)):
        places = [*held, *(Place((), CONNECTION, key) for key in others)]
        found = [References(configured, places).target(Expression(["var.all"]), p) for p in held]
        assert [isinstance(each, Place) for each in found] == [decided] * 2


@pytest.mark.parametrize(
    ("place", "address"),
    [
        (Place((), C), C),
        (
            Place((("m", 'q"q'), ("n", 0), ("o", None)), C, 3),
            f'module.m["q\\"q"].module.n[0].module.o.{C}[3]',
        ),
    ],
)
def test_a_place_has_the_address_of_a_plan(place: Place, address: str):
    assert place.address == address


@pytest.mark.parametrize(
    ("other", "reads", "among"),
    [
        ("data.fivetran_connection.x.id", False, [CONNECTION]),
        ("data.fivetran_connection.x.id", True, None),
        ("fivetran_connector_certificates.x.id", False, None),
        ("terraform_data.x.output", False, None),
        ("var.known", False, [CONNECTION]),
    ],
)
def test_what_may_have_any_id_narrows_nothing(other: str, reads: bool, among: list[str] | None):
    """A conditional: one connection, or what has an id from who knows where."""
    schedule, connection = Place((), SCHEDULE), Place((), CONNECTION)
    configured = Configuration(root_module=Module(resources=[ConfiguredResource(SCHEDULE)]))
    places = [schedule, connection, Place((), "fivetran_connector.d")]
    attribute = Expression([other, f"{CONNECTION}.id", CONNECTION])
    found = References(configured, places, reads=reads).target(attribute, schedule)
    assert isinstance(found, Undecided)
    assert (None if found.among is None else [p.name for p in found.among]) == among


def test_what_many_may_be_for_is_found_once(tmp_path: Path):
    """Else thousands of them, each for any of thousands, take minutes."""
    schedule = ConfiguredResource(SCHEDULE, SCHEDULE.partition(".")[0])
    configured = Configuration(root_module=Module(resources=[schedule]))
    held = [Place((), SCHEDULE, key) for key in range(3)]
    places = [*held, *(Place((), CONNECTION, key) for key in range(3))]
    asked: list[str] = []
    texts = Folder(_file(tmp_path, f"{C}[1 - count.index].id"), configured).text

    def counted(module: Sequence[str], name: str, attribute: str) -> tuple[Position, str] | None:
        asked.append(attribute)
        return texts(module, name, attribute)

    found = References(configured, places, counted)
    attribute = Expression([CONNECTION, "count.index"])
    first, *others = [found.target(attribute, place, "connector_id") for place in held]
    assert isinstance(first, Undecided)
    assert all(isinstance(each, Undecided) and each.among is first.among for each in others)
    assert all(each == first for each in others)
    assert asked == ["connector_id"]
