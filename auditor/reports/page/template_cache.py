"""Compiled templates, kept where Python keeps compiled modules.

Compiling the page takes longer than judging ten thousand connections. What is kept is checked
against the template's source, and where nothing can be kept the template is compiled each time.
"""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from auditor.version import __version__

# Python's own name for the folder beside a module; it may be written by whoever installed us.
_FOLDER = Path(__file__).with_name("__pycache__")


class TemplateCache(FileSystemBytecodeCache):
    """Keeps compiled templates beside compiled modules, when Python may keep those."""

    def __init__(self) -> None:
        python = sys.implementation.cache_tag
        super().__init__(str(_FOLDER), f"template-%s.{__version__}.{python}.bin")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill ``bucket`` with what was kept, if it is whole and of this source."""
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what is in ``bucket``, if that is possible."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)
