"""`python -m supervisor` is `portsup`."""

import sys

from supervisor.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
