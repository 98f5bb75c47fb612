"""Variables that a services.yaml cannot be read without, as its source could not."""

import re
from collections.abc import Mapping

_DEMANDED = re.compile(r"(?<!\$)(?:\$\$)*\$\{([A-Za-z_]\w*):?\?", re.ASCII)


def demanded(text: str, environ: Mapping[str, str]) -> list[str]:
    """The variables of `${VAR:?message}` that are not set, in the order of their first mention."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found = dict.fromkeys(name for line in lines for name in _DEMANDED.findall(line))
    return [name for name in found if not environ.get(name)]


def with_stand_ins(text: str, environ: Mapping[str, str], value: str = "1") -> Mapping[str, str]:
    """`environ` with a value for each that is demanded, so that the rest of the file can be looked over."""
    return {**environ, **dict.fromkeys(demanded(text, environ), value)}
