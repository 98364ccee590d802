"""`python -m sojourn_demo`, which `make demo` runs."""

import sys

from sojourn_demo.cli import main

if __name__ == "__main__":
    sys.exit(main())
