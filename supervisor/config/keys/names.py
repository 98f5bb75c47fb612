"""Names for the services of a stack."""

from supervisor.config.kinds import Flag, Key, Section, Whole
from supervisor.core.hostnames import Names

NAMES = Section(
    keys=(
        Key(
            "port",
            Whole(1, 65535),
            "The port of the proxy that answers for all names. Stacks with the same port share the proxy.",
            "1355",
        ),
        Key(
            "https",
            Flag(),
            "Answer by HTTPS, with certificates of an authority that this user's proxy makes for itself.",
            "false",
            more="portsup installs no root certificate. See "
            "[Give services names](../how-to/give-services-names.md#https).",
        ),
    ),
    short="port",
    of=Names,
)

KEY = Key(
    "names",
    NAMES,
    "Gives each service with a `pool` a name that stays the same whatever port it has: "
    "http://SERVICE.STACK.localhost:1355.",
    unset="no names",
    also=("hostnames", "proxy"),
    more="It needs Caddy: see [Give services names](../how-to/give-services-names.md).",
)
