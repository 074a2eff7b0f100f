"""No module but those of ``output/`` opens a file for writing, makes a folder or moves anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.builders.sources import PACKAGE, syntax_trees

#: Methods and functions that change what is on the disk, whatever they are called on.
CHANGES = frozenset(
    """
    write_text write_bytes mkdir makedirs rename renames replace_with unlink rmdir removedirs
    symlink symlink_to hardlink_to link_to touch chmod lchmod chown truncate ftruncate
    copyfile copyfileobj copytree copy2 rmtree move mkstemp mkdtemp mkfifo mknod fdopen dup2 pwrite
    sendfile NamedTemporaryFile TemporaryFile SpooledTemporaryFile TemporaryDirectory utime
    """.split()
)
#: Of these the module says which is meant.
OF_A_MODULE = {"os": frozenset({"open", "write", "remove", "replace", "link"}), "shutil": None}
READS = frozenset({"r", "rb", "rt"})
#: What is written that no user named: Python's own cache, by Jinja's own class. And a name that
#: means something else: what a plan leaves open of an account.
ALLOWED = {
    "reports/page/template_cache.py": {"FileSystemBytecodeCache"},
    "sources/plan/estate.py": {"open"},
}


def writes(tree: ast.Module) -> Iterator[str]:
    """Yield the calls in ``tree`` that may write, and the imports that would hide one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"os", "shutil", "tempfile", "io"}:
            hidden = CHANGES | {"open", "write", "remove", "replace", "link", "FileIO"}
            yield from (alias.name for alias in node.names if alias.name in hidden)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            yield from (n for n in names if n in {"shutil", "tempfile", "FileSystemBytecodeCache"})
        if isinstance(node, ast.Call):
            yield from _called(node)


def _called(node: ast.Call) -> Iterator[str]:
    function = node.func
    if isinstance(function, ast.Name):
        if function.id == "open" and not _reads(node, 1):
            yield "open"
        return
    if not isinstance(function, ast.Attribute):
        return
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    name = function.attr
    if name in CHANGES:
        yield name
    elif owner in OF_A_MODULE:
        if name == "open" and owner == "os" and _opens_to_read(node):
            return
        known = OF_A_MODULE[owner]
        if known is None or name in known:
            yield f"{owner}.{name}"
    elif name == "open" and not _reads(node, 0 if owner not in {"io", "gzip"} else 1):
        yield "open"
    elif name == "FileIO" and not _reads(node, 1):
        yield "FileIO"


def _reads(node: ast.Call, place: int) -> bool:
    """Whether the mode of an ``open`` is one that reads, or is not given."""
    given = [*node.args[place : place + 1]]
    given += [k.value for k in node.keywords if k.arg == "mode"]
    return all(isinstance(mode, ast.Constant) and mode.value in READS for mode in given)


def _opens_to_read(node: ast.Call) -> bool:
    flags = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    return "O_RDONLY" in flags and not flags & {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"}


def test_only_output_writes():
    found = {}
    for path, tree in syntax_trees().items():
        name = path.relative_to(PACKAGE).as_posix()
        wrong = set(writes(tree)) - ALLOWED.get(name, set())
        if wrong and not name.startswith("output/"):
            found[name] = wrong
    assert found == {}


def test_output_does():
    inside = [tree for path, tree in syntax_trees().items() if path.parent.name == "output"]
    assert any(list(writes(tree)) for tree in inside)


@pytest.mark.parametrize(
    "source",
    [
        "open('x', 'w')",
        "open('x', mode='a')",
        "open('x', how)",
        "path.open('x')",
        "path.open(mode='r+')",
        "path.write_text('')",
        "path.parent.mkdir()",
        "os.open(path, os.O_WRONLY)",
        "os.open(path, os.O_RDONLY | os.O_CREAT)",
        "os.rename(a, b)",
        "os.replace(a, b)",
        "os.remove(a)",
        "path.unlink()",
        "gzip.open(path, 'wb')",
        "io.FileIO(path, 'w')",
        "import tempfile",
        "from os import replace",
        "from shutil import move",
    ],
)
def test_what_writes_is_seen(source: str):
    assert list(writes(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["open('x')", "open('x', 'rb')", "path.open('rb')", "text.replace('a', 'b')", "path.open()"],
)
def test_what_reads_is_not(source: str):
    assert not list(writes(ast.parse(source)))
