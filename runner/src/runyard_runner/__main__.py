"""`python -m runyard_runner` is `runyard-runner`."""

import sys

from runyard_runner.main import main

if __name__ == "__main__":
    sys.exit(main())
