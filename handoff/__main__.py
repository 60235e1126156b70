"""``python -m handoff``: the program ``handoff``."""

from handoff.cli.main import main

if __name__ == "__main__":
    main()
