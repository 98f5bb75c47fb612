"""`python -m supervisor.names have TASK`, which a daemon runs, or `follow TASK`, which the stack of the proxy runs."""

import json
import sys

from supervisor.names.task import Task

if sys.argv[1] == "have":
    from supervisor.names.have import main
else:
    from supervisor.names.follow import main
sys.exit(main(Task(**json.loads(sys.argv[2]))))
