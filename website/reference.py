"""Reference pages, made from what the code says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

import auditor
from auditor.cli.config.schemas import SCHEMAS, schema_text
from auditor.cli.main import COMMANDS, group
from auditor.fields import FIELDS, Exposure
from auditor.policy.language.operators import OPERATORS

#: What each schema is of, by its file's name on the site.
SCHEMA_FILES = {
    "policy": "policy.schema.json",
    "tests": "tests.schema.json",
    "waivers": "waivers.schema.json",
    "config": "auditor.schema.json",
}
_EXPOSURE = {
    Exposure.SHOWN: "",
    Exposure.HIDDEN: "hidden in reports unless a policy reveals it",
    Exposure.SECRET: "a live credential: only `exists` may test it",
}


def cell(text: str) -> str:
    """Return ``text`` as a cell of a table: on one line, with no bar of its own."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def commands() -> str:
    """Return the page of all commands and their options."""
    return "\n".join(_commands())


def _commands() -> Iterator[str]:
    yield "# Commands and options\n"
    yield "What `fivetran-auditor COMMAND --help` says. Most options can have a default in"
    yield "[`auditor.yaml` and the environment](../configuration.md).\n"
    for name in COMMANDS:
        command = import_module(f"auditor.cli.commands.{name}").command
        context = click.Context(command, info_name=name, parent=click.Context(group))
        yield f"## {name}\n"
        yield _paragraphs(command.help or "")
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"```text\nfivetran-auditor {name} {usage}\n```\n"
        yield "| option | meaning |\n|---|---|"
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None:
                yield f"| `{cell(record[0])}` | {_prose(cell(record[1]))} |"
        yield ""


def _paragraphs(text: str) -> str:
    """Return a command's help as Markdown: what click keeps as it is becomes a block."""
    made = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.lstrip().startswith("\b"):
            body = paragraph.replace("\b", "").strip("\n")
            made.append(f"```text\n{body}\n```\n")
        else:
            made.append(_prose(re.sub(r"\s+", " ", paragraph)) + "\n")
    return "\n".join(made)


def _prose(text: str) -> str:
    """Return plain text as Markdown that looks the same."""
    return re.sub(r"([*_<>\[\]])", r"\\\1", text)


def operators() -> str:
    """Return the page of all operators."""
    lines = [
        "# Operators\n",
        "What each operator tests, and the operand it takes. For how conditions are built from",
        "them, see [the policy language](../policy-language.md).\n",
    ]
    families: dict[str, list[str]] = {}
    for name, operator in OPERATORS.items():
        row = f"| `{name}` | {_prose(cell(operator.doc))} | {_prose(cell(operator.form.value))} |"
        families.setdefault(operator.family, []).append(row)
    for family, rows in families.items():
        lines += [f"## {family.capitalize()}\n", "| operator | holds when | takes |\n|---|---|---|"]
        lines += [*rows, ""]
    return "\n".join(lines)


def fields() -> str:
    """Return the page of all documented fields."""
    lines = [
        "# Fields\n",
        "What a rule can test on a connection, as Fivetran's API documents it. *Always* means that",
        "the API promises the field in every list, and not null.\n",
        "| field | type | meaning | values |\n|---|---|---|---|",
    ]
    for path, field in FIELDS.items():
        told = [
            field.doc,
            "Always." if field.always else "",
            "Any key below." if field.open else "",
        ]
        told.append(f"*{_EXPOSURE[field.exposure]}*" if _EXPOSURE[field.exposure] else "")
        meaning = " ".join(filter(None, (cell(part) for part in told)))
        values = ", ".join(f"`{value}`" for value in field.values)
        lines.append(f"| `{path}` | {field.kind.value} | {meaning} | {values} |")
    return "\n".join(lines) + "\n"


def exit_codes() -> str:
    """Return the page of the exit codes, from the help of the command itself."""
    found = re.findall(r"^  (\d+) +(.*)$", str(group.epilog), re.MULTILINE)
    lines = ["# Exit codes\n", "| code | meaning |\n|---|---|"]
    lines += [f"| {code} | {_prose(cell(meaning))} |" for code, meaning in found]
    lines += [
        "| 143 | terminated |\n",
        "4 outranks 3, and 3 outranks 1. The reports' formats never change the code.",
        "See [which code stops what](../ci.md#which-code-stops-what).\n",
    ]
    return "\n".join(lines)


def schemas() -> tuple[str, dict[str, str]]:
    """Return the page of the JSON Schemas, and the schemas by their files' names."""
    context = click.Context(group)
    context.obj = None
    files = {SCHEMA_FILES[name]: schema_text(name, context) for name in SCHEMAS}
    for path in sorted(Path(auditor.__file__).parent.rglob("*.schema.json")):
        files[path.name] = path.read_text(encoding="utf-8")
    lines = [
        "# JSON Schemas\n",
        "For editors and for programs that read what the auditor writes. The same files come from",
        "`fivetran-auditor schema`, and `init` writes the first four beside a new policy.\n",
        "| file | for |\n|---|---|",
        "| [policy.schema.json](../schemas/policy.schema.json) | a policy |",
        "| [tests.schema.json](../schemas/tests.schema.json) | a policy's `NAME.test.yaml` |",
        "| [waivers.schema.json](../schemas/waivers.schema.json) | a waiver file |",
        "| [auditor.schema.json](../schemas/auditor.schema.json) | `auditor.yaml` |",
    ]
    known = set(SCHEMA_FILES.values())
    lines += [f"| [{name}](../schemas/{name}) | a report |" for name in files if name not in known]
    lines += [
        "",
        "They are written for draft 2020-12 and use nothing that draft 7 reads differently, so",
        "that editors with either take them. The first lines of a file name its schema, and no",
        "setting is needed: VS Code (with redhat.vscode-yaml) and other editors with the YAML",
        "language server read the first line, JetBrains' editors the second.\n",
        "```yaml\n# yaml-language-server: $schema=../.fivetran-auditor/policy.schema.json",
        "# $schema: ../.fivetran-auditor/policy.schema.json\n```\n",
        "Tests open such files in that server. The second line follows JetBrains' manual;",
        "no test runs one of its editors.\n",
        "`init --docs-url` with the address of this site names the schemas here instead.\n",
    ]
    return "\n".join(lines), files
