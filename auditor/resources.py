"""Where the shipped policies and report templates are: in a checkout, or inside the wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PLACES = {"policies": "policies", "templates": "reports/templates"}


def resource_folder(name: str) -> Path:
    """Return the folder ``policies`` or ``templates``.

    In a wheel both travel in ``auditor/_resources``; in a checkout or an editable install they
    are at the top of the repository.
    """
    packed = _PACKAGE / "_resources" / name
    return packed if packed.is_dir() else _PACKAGE.parent / _PLACES[name]
