"""Compiled templates, kept where Python keeps compiled modules.

Compiling the page takes longer than judging ten thousand connections. A cached template is checked
against its source; if nothing can be cached, the template is compiled each time.
"""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from auditor.version import __version__

# Python's own name for the folder beside a module; whoever installed us can write to it.
_FOLDER = Path(__file__).with_name("__pycache__")


class TemplateCache(FileSystemBytecodeCache):
    """Caches compiled templates beside compiled modules, if Python may cache those."""

    def __init__(self) -> None:
        python = sys.implementation.cache_tag
        super().__init__(str(_FOLDER), f"template-%s.{__version__}.{python}.bin")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the cached code into ``bucket``, if it is whole and from this source."""
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Cache the code in ``bucket``, if possible."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)
