"""The YAML language server, as an editor without any setting of its own speaks to it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

#: What VS Code's extension answers where its user set nothing, but for the catalogue of schemas,
#: which is fetched from the network.
_UNSET = {
    "yaml": {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemas": {},
        "schemaStore": {"enable": False},
    }
}
_CAN = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True}},
        "hover": {"contentFormat": ["markdown"]},
        "diagnostic": {},
    },
    "workspace": {"configuration": True, "workspaceFolders": True},
}


class Problem(NamedTuple):
    """What an editor underlines: its line, from 1, and what it says there."""

    line: int
    message: str


class LanguageServer:
    """The server in ``folder``, the root of what is edited; ``command`` is how it is run."""

    def __init__(self, command: list[str | Path], folder: Path) -> None:
        self._asked = 0
        self._problems: dict[str, list[Problem]] = {}
        self._server = subprocess.Popen(
            [*command, "--stdio"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        root = {"uri": folder.as_uri(), "name": folder.name}
        self._ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": root["uri"],
                "workspaceFolders": [root],
                "capabilities": _CAN,
            },
        )
        self._send({"method": "initialized", "params": {}})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.kill()
        self._server.communicate()

    def problems(self, path: Path, text: str) -> list[Problem]:
        """Open the file as holding ``text``; return what is found in it."""
        uri = path.as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while uri not in self._problems:
            self._take()
        return self._problems.pop(uri)

    def completed(self, path: Path, line: int, column: int) -> set[str]:
        """Return what can be inserted at a place of an open file, from 0."""
        found = self._ask("textDocument/completion", _at(path, line, column))
        return {str(item["label"]) for item in found["items"]}

    def told(self, path: Path, line: int, column: int) -> str:
        """Return the hover text at a position, from 0."""
        found = self._ask("textDocument/hover", _at(path, line, column))
        return str(found["contents"]["value"]) if found else ""

    def _ask(self, method: str, params: Mapping[str, Any]) -> Any:
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while True:
            message = self._take()
            if message.get("id") == self._asked and "method" not in message:
                return message["result"]

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._server.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._server.stdin.flush()

    def _take(self) -> dict[str, Any]:
        """Read a message; answer what the server asks, and keep what it finds."""
        assert self._server.stdout is not None
        size = 0
        while line := self._server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        message: dict[str, Any] = json.loads(self._server.stdout.read(size))
        params = message.get("params", {})
        if message.get("method") == "textDocument/publishDiagnostics":
            found = params["diagnostics"]
            self._problems[params["uri"]] = [
                Problem(each["range"]["start"]["line"] + 1, each["message"]) for each in found
            ]
        elif "method" in message and "id" in message:
            wanted = params.get("items", ()) if "configuration" in message["method"] else None
            answer = wanted and [_UNSET.get(item.get("section")) for item in wanted]
            self._send({"id": message["id"], "result": answer})
        return message


def _at(path: Path, line: int, column: int) -> dict[str, Any]:
    place = {"line": line, "character": column}
    return {"textDocument": {"uri": path.as_uri()}, "position": place}
