"""``python -m website FOLDER``: write the sources of the site there, for mkdocs to build.

The pages of ``docs/`` are taken as they are, but for links to what is not in ``docs/``.
"""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from website import reference, rules

ROOT = Path(__file__).parents[1]
#: What is not in ``docs/`` and is a page all the same.
_ROOT_PAGES = {
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
_MOVED = {**_ROOT_PAGES, "README.md": "index.md", "policies/": "rules/index.md"}
_LINK = re.compile(r"(\]\()([^)\s#]+)")


def write(folder: Path) -> None:
    """Write the configuration and all pages to ``folder``, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs", docs)
    for page in docs.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(_LINK.sub(lambda m: m[1] + _from_docs(m[2]), text), encoding="utf-8")
    for name, page_name in _ROOT_PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        text = _LINK.sub(lambda m: m[1] + _from_root(m[2]), text)
        (docs / page_name).write_text(text, encoding="utf-8")
    schema_page, files = reference.schemas()
    made = {
        "reference/commands.md": reference.commands(),
        "reference/operators.md": reference.operators(),
        "reference/fields.md": reference.fields(),
        "reference/exit-codes.md": reference.exit_codes(),
        "reference/schemas.md": schema_page,
        **{f"schemas/{name}": text for name, text in files.items()},
        **rules.pages(),
    }
    for name, text in made.items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "mkdocs.yml").write_text(_configuration(made), encoding="utf-8")


def _from_docs(target: str) -> str:
    """Return where a link of a page in ``docs/`` leads on the site."""
    return _MOVED.get(target.removeprefix("../"), target) if target.startswith("../") else target


def _from_root(target: str) -> str:
    """Return where a link of a page at the top of the repository leads on the site."""
    return _MOVED.get(target, target.removeprefix("docs/"))


def _configuration(made: Mapping[str, str]) -> str:
    """Return mkdocs' configuration, with the project's addresses and a page for each rule."""
    text = (ROOT / "website" / "mkdocs.yml").read_text(encoding="utf-8")
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    pages = [name for name in made if name.startswith("rules/") and name != "rules/index.md"]
    rows = "\n      - ".join
    # A new page has a place even before somebody thinks of the best one.
    unnamed = [page.name for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in text]
    return (
        text.replace("@DOCUMENTATION@", urls["Documentation"])
        .replace("@SOURCE@", urls["Source"])
        .replace("@RULES@", rows(sorted(pages)))
        .replace("      - @OTHERS@\n", "".join(f"      - {name}\n" for name in unnamed))
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
