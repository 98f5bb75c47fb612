"""`python -m supervisor.mcp.bridge SHARE MAX VARIABLE -- COMMAND …`."""

import sys

from supervisor.mcp.bridge.serve import main

sys.exit(main())
