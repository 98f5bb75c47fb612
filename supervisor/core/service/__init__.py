"""The life of one service, as a pure function from (service, event, now) to (service, effects): `step`.

`snapshot` is what is known of a service, `moves` what its life is made of; `one_process` and `rolling` decide which of
these comes next; `hooks` are the commands beside its process.  The states stand in `core.state`, what happens and what
is to be done in `core.events`.
"""

from supervisor.core.service.hooks import Step as Step
from supervisor.core.service.one_process import KILL_REQUESTED as KILL_REQUESTED
from supervisor.core.service.rolling import can_roll as can_roll
from supervisor.core.service.rolling import is_rolling as is_rolling
from supervisor.core.service.rolling import step as step
from supervisor.core.service.snapshot import Service as Service
from supervisor.core.service.snapshot import Timeouts as Timeouts
