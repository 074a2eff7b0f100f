"""The formats of a comparison: what ``compare --report`` takes, in one closed table.

Like a run's: a module named after the format with ``render(comparison)`` and
``placeholder(version)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from auditor.reports import Format

#: Every format by its name.
COMPARISONS: Mapping[str, Format] = MappingProxyType(
    {
        format_.name: format_
        for format_ in (
            Format("html", "comparison.html", "one page for people", home=__name__),
            Format("json", "comparison.json", "everything, for programs", home=__name__),
            Format("markdown", "comparison.md", "a summary for a pull request", home=__name__),
        )
    }
)
