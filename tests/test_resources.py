"""Files shipped beside the code: found in a checkout, and inside a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import resources


@pytest.mark.parametrize(
    ("name", "file"), [("policies", "baseline.yaml"), ("templates", "report.html.j2")]
)
def test_a_checkout_has_them_at_its_top(name: str, file: str):
    assert (resources.resource_folder(name) / file).is_file()


@pytest.mark.parametrize("name", ["policies", "templates"])
def test_a_wheel_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "auditor")
    packed = tmp_path / "auditor" / "_resources" / name
    assert resources.resource_folder(name) != packed
    packed.mkdir(parents=True)
    assert resources.resource_folder(name) == packed
