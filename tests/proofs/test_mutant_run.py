"""Which tests are asked of a mutant: those that run its line, and all where it runs at import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.proofs.mutation import ROOT

#: Bounded, so that what never ends is told as a failure and takes no machine down with it.
_ASKED = """
import json, resource
from pathlib import Path
from tests.proofs.mutant_run import _reached

resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
own = ["test_late.py"]
print(json.dumps(_reached(Path("late.py"), own, own)))
"""
_MODULE = """LIMIT = 3


def is_much(number):
    return number > LIMIT
"""
_CONFTEST = """
from hypothesis import settings

settings.register_profile("unhurried", settings())
"""
_TESTS = """
def test_much():
    import late

    assert late.is_much(4)


def test_nothing():
    assert True
"""


def test_a_module_that_only_functions_import_is_watched_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "late.py").write_text(_MODULE)
    (tmp_path / "test_late.py").write_text(_TESTS)
    done = subprocess.run(
        [sys.executable, "-c", _ASKED],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    reached = json.loads(done.stdout)
    # All at 0; of the module's own lines, which run at import, none has a list of its own.
    assert set(reached) == {"0", "5"}
    much, nothing = "test_late.py::test_much", "test_late.py::test_nothing"
    assert sorted(reached["0"][0]) == [much, nothing]
    assert reached["5"] == [[much, nothing], []]
