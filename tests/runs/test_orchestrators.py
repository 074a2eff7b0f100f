"""The task and the asset of ``docs/library.md``, run by Airflow and Dagster themselves.

They stand in an environment of their own, which ``make test-orchestrators`` makes: what they need
is much, and disagrees with what we lock.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import KEYS, environment

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("ORCHESTRATORS", ROOT / ".venv" / "orchestrators")) / "bin" / "python"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="make test-orchestrators has not been run"),
]

AIRFLOW = """

if __name__ == "__main__":
    import subprocess, sys
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)
    run = fivetran_audit().test()
    print("STATE", run.state)
"""
DAGSTER = """

if __name__ == "__main__":
    done = dg.materialize([fivetran_audit, gate], raise_on_error=False)
    (check,) = done.get_asset_check_evaluations()
    print("STATE", "success" if done.success and check.passed else "failed", check.metadata)
"""


def example(heading: str, url: str) -> str:
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    code = text.split(f"## {heading}")[1].split("```python\n")[1].split("```")[0]
    return code.replace("https://api.fivetran.com", url)


@pytest.mark.parametrize(
    ("heading", "door", "homes"),
    [
        ("A task in Airflow", AIRFLOW, "AIRFLOW_HOME"),
        ("An asset in Dagster", DAGSTER, "DAGSTER_HOME"),
    ],
)
@pytest.mark.parametrize("healthy", [True, False])
def test_the_example_is_the_gate(
    heading: str, door: str, homes: str, healthy: bool, tmp_path: Path
):
    with Sandbox(build_estate(250, 7, healthy=healthy)) as sandbox:
        script = tmp_path / "example.py"
        script.write_text(example(heading, sandbox.url) + door)
        done = subprocess.run(
            [PYTHON, script],
            cwd=tmp_path,
            env={
                **environment(KEYS),
                homes: str(tmp_path),
                "PYTHONPATH": str(ROOT),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path),
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    said = done.stdout + done.stderr
    assert ("STATE success" in said) is healthy, said
    assert ("STATE failed" in said) is not healthy, said
    assert ("violation" in said) is not healthy
