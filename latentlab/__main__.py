"""``python -m latentlab``."""

from __future__ import annotations

import sys

from latentlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
