"""Where resources are written: lines of ``.tf`` files, and comments beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import UsageError
from auditor.sources.plan.document import read_plan
from auditor.sources.plan.files import Folder, Written, read_file
from tests.builders.plans import PLANS
from tests.builders.slow import tries

CONFIGS = PLANS.parent / "configs"
TRICKY = """
# fivetran-auditor: waive floor reason="a b" owner=me expires=2027-01-01
resource "fivetran_connector" "a" {
  group_id = "g${var.x["}"]}" # fivetran-auditor: waive x
  config { host = "h"
    password = <<-EOT
      } resource "no" "no" {
    EOT
  }
  k = { a = 1, b = "}" }
  list = [{ a = 2 }, "]"]
  dynamic "schedule" {
    for_each = [1]
    content { interval = 5 }
  }
  schedule_type = var.a == "b" ? "x" : "y"
}
/* fivetran-auditor: waive y */ resource "fivetran_x" "b" { paused = true }
// It says fivetran-auditor: waive nothing, and is prose.
output "out" { value = fivetran_connector.a.id }
"""


def _read(folder: Path, text: str) -> list[Written]:
    file = folder / "x.tf"
    file.write_text(text)
    return read_file(file)


def test_headers_attributes_and_comments_are_found_among_whatever_else_there_is(tmp_path: Path):
    a, b = _read(tmp_path, TRICKY)
    assert (a.name, a.position.line) == ("fivetran_connector.a", 3)
    lines = {path: position.line for path, position in a.attributes.items()}
    assert (
        lines.items()
        >= {
            "group_id": 4,
            "config.host": 5,
            "config.password": 6,
            "k.a": 10,
            "list": 11,
            "schedule_type": 16,
        }.items()
    )
    assert "a" not in lines
    assert "paused" not in lines
    assert [text for _, text in a.comments] == [
        'waive floor reason="a b" owner=me expires=2027-01-01',
        "waive x",
    ]
    assert (b.name, b.attributes["paused"].line) == ("fivetran_x.b", 18)
    assert [text for _, text in b.comments] == ["waive y"]


JSON = """\
{
  "//": "fivetran-auditor: waive of no resource",
  "terraform": {"required_providers": {"fivetran": {"source": "fivetran/fivetran"}}},
  "resource": {
    "fivetran_connector": {
      "a": {
        "//": "fivetran-auditor: waive floor reason=\\"a b\\" owner=me expires=2027-01-01",
        "group_id": "g${var.x[\\"}\\"]}",
        "config": [{"host": "h",
          "port": 5432, "": "odd",
          "tags": ["host", {"name": 1}]}],
        "run_setup_tests": false
      },
      "b": [
        {"service": "x", "//": "it says fivetran-auditor: waive nothing"}
      ]
    },
    "fivetran_connector_schedule": {"a": {
      "sync_\\u0066requency": "5" } }
  },
  "output": {"out": {"value": "${fivetran_connector.a.id}"}}
}
"""


def test_lines_of_json_are_found_and_its_comments(tmp_path: Path):
    file = tmp_path / "x.tf.json"
    file.write_text(JSON)
    a, b, schedule = read_file(file)
    assert (a.name, a.position.line, a.position.column) == ("fivetran_connector.a", 6, 7)
    assert {path: position.line for path, position in a.attributes.items()} == {
        "group_id": 8,
        "config": 9,
        "config.host": 9,
        "config.port": 10,
        "config.": 10,
        "config.tags": 11,
        "config.tags.name": 11,
        "run_setup_tests": 12,
    }
    assert [(at.line, text) for at, text in a.comments] == [
        (7, 'waive floor reason="a b" owner=me expires=2027-01-01')
    ]
    assert (b.name, b.attributes["service"].line, b.comments) == ("fivetran_connector.b", 15, ())
    assert schedule.attributes["sync_frequency"].line == 19
    assert str(schedule.position).endswith("x.tf.json:18:37")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"resource": {', "\x00"])
def test_what_is_not_json_has_no_lines(tmp_path: Path, text: str):
    file = tmp_path / "x.tf.json"
    file.write_text(text)
    assert read_file(file) == []


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"\\{}[],: \n/', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner),
    max_leaves=8,
)


@settings(max_examples=tries(150), deadline=None, derandomize=True)
@given(st.dictionaries(st.text('ab"\\}', min_size=1, max_size=3), _VALUES, max_size=4))
def test_whatever_a_resource_holds_each_of_its_attributes_is_found(
    tmp_path_factory: pytest.TempPathFactory, body: dict[str, object]
):
    file = tmp_path_factory.getbasetemp() / "any.tf.json"
    document = {"a": body, "resource": {"t": {"n": body, "m": {"last": 1}}}}
    file.write_text(json.dumps(document, indent=1))
    written = {each.name: each for each in read_file(file)}
    lines = file.read_text().splitlines()
    for name in body:
        line = lines[written["t.n"].attributes[name].line - 1]
        assert line.startswith(f"    {json.dumps(name)}: ")
    assert lines[written["t.m"].attributes["last"].line - 1] == '    "last": 1'


def test_an_override_says_where_its_attributes_are(tmp_path: Path):
    resource = 'resource "fivetran_connector" "db" {\n  %s = 1\n  %s = 2\n}\n'
    (tmp_path / "z.tf").write_text(resource % ("service", "group_id"))
    (tmp_path / "a_override.tf").write_text(resource % ("x", "group_id"))
    folder = Folder(str(tmp_path), read_plan(str(PLANS / "walk.json")).configured)
    where = {
        name: folder.locate([], "fivetran_connector.db", name)
        for name in ("service", "group_id", "paused")
    }
    assert {name: Path(at.file).name for name, at in where.items() if at is not None} == {
        "service": "z.tf",
        "group_id": "a_override.tf",
        "paused": "z.tf",
    }


def test_local_modules_are_followed(tmp_path: Path):
    folder = Folder(str(CONFIGS / "modules"), read_plan(str(PLANS / "modules.json")).configured)
    found = folder.locate(["team"], "fivetran_connector_schedule.db", "sync_frequency")
    assert found is not None
    assert found.file.endswith("modules/team/main.tf")
    assert found.line == 20
    # An attribute that is not written is at its resource's header.
    header = folder.locate(["team"], "fivetran_connector_schedule.db", "paused")
    assert header is not None
    assert header.line == 18
    assert folder.locate([], "fivetran_connector.none", "") is None


def test_a_file_is_named_as_a_repository_has_it(tmp_path: Path):
    """A module beside the folder of the one that calls it; and OpenTofu's own file of a name."""
    configured = read_plan(str(PLANS / "modules.json")).configured
    configured.root_module.module_calls["team"].source = "./outer/../team"
    (tmp_path / "team").mkdir()
    (tmp_path / "outer").mkdir()
    resource = 'resource "fivetran_connector" "db" {\n}\n'
    for name in ("main.tf", "main.tofu"):
        (tmp_path / "team" / name).write_text(resource)
    found = Folder(str(tmp_path), configured).locate(["team"], "fivetran_connector.db", "service")
    assert found is not None
    assert found.file == (tmp_path / "team" / "main.tofu").as_posix()


def test_modules_that_were_installed_are_followed(tmp_path: Path):
    configured = read_plan(str(PLANS / "modules.json")).configured
    configured.root_module.module_calls["team"].source = "registry/team"
    where = tmp_path / ".terraform" / "modules"
    (where / "team").mkdir(parents=True)
    (where / "modules.json").write_text(
        '{"Modules": [{"Key": "", "Dir": "."}, {"Key": "team", "Dir": ".terraform/modules/team"}]}'
    )
    (where / "team" / "main.tf").write_text('resource "fivetran_connector" "db" {\n}\n')
    found = Folder(str(tmp_path), configured).locate(["team"], "fivetran_connector.db", "service")
    assert found is not None
    assert found.line == 1


def test_a_missing_folder_is_a_usage_error(tmp_path: Path):
    with pytest.raises(UsageError, match="no such folder"):
        Folder(str(tmp_path / "none"), read_plan(str(PLANS / "walk.json")).configured)


@settings(max_examples=tries(150), deadline=None, derandomize=True)
@given(st.text('aw {}[]()"\\$%\n#/*=<-E_', max_size=60))
def test_no_text_makes_the_scanner_stumble(tmp_path_factory: pytest.TempPathFactory, text: str):
    """Whatever comes before it, a resource after a balanced beginning is found."""
    folder = tmp_path_factory.getbasetemp()
    _read(folder, text)
    assert [w.name for w in _read(folder, 'resource "a" "b" {\n x = 1\n}\n')] == ["a.b"]


TEXTS = """
# fivetran-auditor: waive x
module "m" {
  source = "./m" # fivetran-auditor: waive y
  cid = a[ # why
    0 /* } */
  ].id // so
}
resource "fivetran_x" "a" {
  k = var.a ? b : c
  text = <<-EOT
    l = 1
  EOT
  z { k = 2 }
  list = [
    1,
  ]
}
resource "fivetran_x" "b" { k = "${a["}"]}" }
"""


def test_what_an_attribute_is_set_to_is_read_without_comments(tmp_path: Path):
    module, a, b = _read(tmp_path, TEXTS)
    assert (module.name, module.comments) == ("module.m", ())
    assert module.texts == {"source": '"./m"', "cid": "a[ \n    0 \n  ].id"}
    assert {name: a.texts[name] for name in ("k", "list")} == {
        "k": "var.a ? b : c",
        "list": "[\n    1,\n  ]",
    }
    assert a.texts.keys() == {"k", "text", "list"}
    assert b.texts == {"k": '"${a["}"]}"'}
    # The same in JSON; and what is not a text has none.
    file = tmp_path / "y.tf.json"
    held = {"source": "./m", "n": 1, "//": "fivetran-auditor: waive x"}
    resource = {"fivetran_x": {"a": {"k": "${c}", "z": {"k": "d"}, "for_each": ["e"]}}}
    file.write_text(json.dumps({"module": {"m": held}, "resource": resource, "locals": {"a": "b"}}))
    module, a = read_file(file)
    assert (module.name, module.comments, module.texts) == ("module.m", (), {"source": '"./m"'})
    assert (a.name, a.texts) == ("fivetran_x.a", {"k": '"${c}"'})


def test_an_override_says_what_its_attributes_are_set_to(tmp_path: Path):
    (tmp_path / "a_override.tf").write_text('resource "fivetran_x" "a" {\n  k = 1\n}\n')
    (tmp_path / "z.tf").write_text('resource "fivetran_x" "a" {\n  k = 2\n  l = 3\n}\n')
    folder = Folder(str(tmp_path), read_plan(str(PLANS / "walk.json")).configured)
    found = {name: folder.text([], "fivetran_x.a", name) for name in ("k", "l", "m")}
    assert {name: text[1] for name, text in found.items() if text} == {"k": "1", "l": "3"}
    assert found["k"] is not None
    assert found["k"][0].file.endswith("a_override.tf")
    assert folder.text([], "fivetran_x.none", "k") is None
