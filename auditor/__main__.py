"""``fivetran-auditor``, and ``python -m auditor``."""

from __future__ import annotations

import gc
import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    # Until the command line has handlers of its own: Ctrl-C while it is loading ends it quietly.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # What a command loads and keeps is large and has no cycles: the collector runs rarely.
    gc.set_threshold(200_000, 20, 100)
    from auditor.cli.main import main as run  # noqa: PLC0415  # what takes so long

    run()


if __name__ == "__main__":
    main()
