"""Linux: everything from /proc, netlink, seccomp and what POSIX has."""

from supervisor.system.linux import *
from supervisor.system.linux_ends import *
from supervisor.system.linux_namespace import *
from supervisor.system.linux_origin import *
from supervisor.system.linux_usage import *
from supervisor.system.no_jobs import *
from supervisor.system.posix import *
from supervisor.system.posix_processes import *

TYPE_CHECKING = False
if TYPE_CHECKING:  # the package imports these when they are first used
    from supervisor.system.beneath import *
    from supervisor.system.departures import *
    from supervisor.system.linux_limits import *
    from supervisor.system.linux_sockets import *
    from supervisor.system.peers import *
