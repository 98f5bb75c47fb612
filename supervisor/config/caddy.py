"""Where Caddy is, the proxy behind `names`: one that is installed, or that of the package `caddyserver`."""

import os
import shutil
import sys
import sysconfig

from supervisor.errors import install

LEAST = (2, 6)  # the first one that has every option that portsup gives it
MISSING = "there is no Caddy, which answers for the names"
GET = f"install it: `apt install caddy`, or `{install('names')}`"


def found() -> list[str]:
    """Every Caddy that may be run, the one that PATH names first; none of them has been asked for its version."""
    places = [shutil.which("caddy"), shutil.which("caddy", path="/usr/local/bin:/usr/bin")]
    folders = (sysconfig.get_path("scripts"), os.path.dirname(sys.executable))
    places += [shutil.which(os.path.join(folder, "caddy")) for folder in folders]
    return list(dict.fromkeys(place for place in places if place))
