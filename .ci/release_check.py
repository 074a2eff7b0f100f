"""Say what is missing for a release: `make release-check`.

It reads the tree and changes nothing. Exit codes: 0 nothing is missing, 1 something is, each on a
line of its own.

    release_check.py [--tag v1.2.3]     the tag that is being released has to be of this version
    release_check.py --notes            print the changelog's section of this version, and no more
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_VERSION = r"[0-9]+\.[0-9]+\.[0-9]+(?:(?:a|b|rc)[0-9]+)?"
#: Where else the version stands, and how.
VERSIONED = {
    "CITATION.cff": r"^version: (.+)$",
    "templates/fivetran-audit/template.yml": r"^      default: (" + _VERSION + r")$",
    "integrations/azure/fivetran-audit.yml": r"name: version, type: string, default: (.+?)}",
    "integrations/jenkins/vars/fivetranAudit.groovy": r"given\.version \?: '(.+?)'",
}
#: What stands in for the owner's name until there is one.
PLACEHOLDER = "OWNER"


def missing(root: Path, tag: str | None) -> Iterator[str]:
    """Yield each thing that a release of the tree at ``root`` lacks."""
    version = version_of(root)
    if not re.fullmatch(_VERSION, version):
        yield f"auditor/version.py: {version} is no version: write 1.2.3, or 1.2.3rc1"
    if tag is not None and tag != f"v{version}":
        yield f"the tag {tag} is not of this version: v{version}"
    yield from _versions(root, version)
    if not notes(root, version):
        yield f"CHANGELOG.md: no section ## [{version}] with something in it"
    yield from _changelog_head(root, version)
    yield from _placeholders(root)
    for name in ("LICENSE", "SECURITY.md", "README.md", "auditor/py.typed"):
        if not (root / name).is_file():
            yield f"{name} is not there"
    yield from _unpinned(root)
    yield from _uncommitted(root)


def version_of(root: Path) -> str:
    """Return the version that the tree says it is."""
    text = (root / "auditor" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.*)"$', text, re.MULTILINE)
    return found[1] if found else "nothing"


def notes(root: Path, version: str) -> str:
    """Return what the changelog says of ``version``; nothing where it says nothing."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |\Z)"
    found = re.search(heading, text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def _versions(root: Path, version: str) -> Iterator[str]:
    for name, pattern in VERSIONED.items():
        path = root / name
        found = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            yield f"{name}: the version is not where it was"
        elif found[1] != version:
            yield f"{name}: {found[1]}, and this is {version}"


def _changelog_head(root: Path, version: str) -> Iterator[str]:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    left = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if left is not None and left[1].strip():
        yield f"CHANGELOG.md: what is under [Unreleased] belongs under [{version}]"
    dated = rf"^## \[{re.escape(version)}\] - [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$"
    if not re.search(dated, text, re.MULTILINE):
        yield f"CHANGELOG.md: [{version}] has no date: ## [{version}] - 2026-01-31"


def _placeholders(root: Path) -> Iterator[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, url in project["urls"].items():
        if PLACEHOLDER in url:
            yield f"pyproject.toml: urls.{name} still says {PLACEHOLDER}"
    others = (*VERSIONED, "README.md", *(f"docs/{p.name}" for p in (root / "docs").glob("*.md")))
    for name in others:
        if re.search(rf"\b{PLACEHOLDER}[/.]", (root / name).read_text(encoding="utf-8")):
            yield f"{name} still says {PLACEHOLDER}"


def _unpinned(root: Path) -> Iterator[str]:
    for path in (root / "action.yml", *sorted((root / ".github" / "workflows").glob("*.yml"))):
        for used in re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8")):
            if not re.search(r"@[0-9a-f]{40}$", used):
                yield f"{path.relative_to(root)}: {used} is not pinned to a commit"


def _uncommitted(root: Path) -> Iterator[str]:
    done = subprocess.run(
        ["git", "status", "--porcelain"],  # noqa: S607  # the git of whoever releases
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        yield "this is no repository"
    elif done.stdout:
        yield f"{len(done.stdout.splitlines())} files are not committed as they stand"


def main(arguments: list[str]) -> int:
    """Print what is missing, or the notes; return the exit code."""
    parser = argparse.ArgumentParser(description="Say what is missing for a release.")
    parser.add_argument("--tag", help="the tag that is being released")
    parser.add_argument("--notes", action="store_true", help="print the changelog's section")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    given = parser.parse_args(arguments)
    version = version_of(given.root)
    if given.notes:
        print(notes(given.root, version) or f"fivetran-auditor {version}")
        return 0
    lacking = list(missing(given.root, given.tag))
    for line in lacking:
        print(f"missing: {line}")
    if not lacking:
        print(f"{version} can be released: git tag v{version} && git push origin v{version}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
