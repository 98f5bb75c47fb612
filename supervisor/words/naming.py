"""What is said of the names of services, and of the proxy that answers for them."""

from supervisor.errors import PortsupError

CANNOT_GIVE = "cannot give services names"
CANNOT_TELL_CADDY = "cannot give Caddy another configuration"
NO_SYSTEM = "this system has none of what it takes to start the proxy"
NO_ANSWER = "the program that starts the proxy gave no answer"
TRIES_AGAIN = "portsup tries again; `portsup events` tells what comes of it"


def served(url: str) -> str:
    """That there are names."""
    return f"the services have names: {url}"


def failed(why: str, hint: str | None) -> str:
    """That there are none."""
    return f"the services have no names: {why}" + (f"; {hint}" if hint else "")


def caddy_is(path: str) -> str:
    """Which one answers for the names."""
    return f"`{path}` answers for the names"


def too_old(path: str, version: str) -> str:
    """A Caddy that lacks something."""
    return f"`{path}` is Caddy {version or 'of an unknown version'}, and 2.6 is the first that will do"


def other_scheme(port: int, *, https: bool) -> tuple[str, str]:
    """The proxy at this port speaks otherwise, for another stack; and what to do."""
    speaks, asked = ("HTTPS", "HTTP") if not https else ("HTTP", "HTTPS")
    why = f"the proxy on port {port} speaks {speaks} for another stack, and this one asks for {asked}"
    return why, "give this stack another port: `names: {port: 1356}`"


def same_names(other: str) -> tuple[str, str]:
    """Two stacks would have the same names."""
    return f"the stack `{other}` has the same names", "give one of the two another `name`"


def port_taken(port: int, why: str) -> tuple[str, str]:
    """Somebody else has the port of the proxy."""
    return f"port {port} cannot be used: {why}", "end that program, or use another port: `names: {port: N}`"


def not_started(words: str) -> str:
    """The proxy did not come up; `words` are what portsup said."""
    return f"the proxy does not start: {words}"


def not_ready(seconds: float) -> str:
    """The proxy runs and does not answer."""
    return f"the proxy did not answer within {seconds:g} s"


def why_down(state: str, reason: str) -> str:
    """Why nobody answers for a service."""
    return f"it is {state}" + (f": {reason}" if reason else "")


def no_service(host: str) -> str:
    """The title of the page for a name that there is none of."""
    return f"There is no service {host}"


def is_down(service: str, stack: str) -> str:
    """The title of the page for a service that does not answer."""
    return f"{service} of {stack} does not answer"


def hint(service: str) -> str:
    """What tells more."""
    return f"`portsup why {service}` explains it"


def not_taken(port: int) -> str:
    """It runs, and refuses connections."""
    return f"it is running, and nothing answers on port {port}"


NAMES_THERE_ARE = "The names there are:"
NONE = "none"
NOT_HERE = "this proxy answers for names below .localhost"


def no_name(service: str) -> PortsupError:
    """A service has no name now."""
    why = "services.yaml has no `names`, or nothing answers for them"
    hint = "write `names: {}` into services.yaml; `portsup events` says why nothing answers"
    return PortsupError(f"cannot tell the name of `{service}`", why, hint)
