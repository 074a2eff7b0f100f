"""What every HTML page of ours consists of: templates, styles, and the policy that confines it."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from auditor.resources import resource_folder

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def templates() -> Environment:
    """Return the templates; values put into one are escaped."""
    # Imported here: a run asks for its first page before it renders anything.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    from auditor.reports.page.template_cache import TemplateCache  # noqa: PLC0415

    return Environment(
        loader=FileSystemLoader(resource_folder("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=TemplateCache(),
    )


@cache
def asset(name: str) -> str:
    """Return the text of one of the project's styles or scripts."""
    return (resource_folder("templates") / name).read_text(encoding="utf-8")


_SCRIPTS = (
    "work.js", "data.js", "facets.js", "state.js", "table.js", "copy.js", "reasons.js", "sheet.js",
    "columns.js", "pictures.js", "rules.js", "report.js",
)  # fmt: skip


@cache
def page_script() -> str:
    """Return the script of a page with data, in one scope, so that none of it is global."""
    script = "\n".join(asset(name) for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{script}}})();\n'


def content_policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy that allows ``style`` and ``script``, and nothing else."""
    scripts = f"'sha256-{_hash(script)}'" if script else "'none'"
    return (
        f"default-src 'none'; style-src 'sha256-{_hash(style)}'; script-src {scripts}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
