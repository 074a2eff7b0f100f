"""``python -m auditor`` is ``fivetran-auditor``."""

from auditor.cli import main

if __name__ == "__main__":
    main()
