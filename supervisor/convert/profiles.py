"""Whether compose starts a service: its profiles, and a number of copies that is none."""

import re
from typing import Any

from supervisor.config.kinds import PROFILE
from supervisor.convert.draft import Draft
from supervisor.convert.values import mapping, texts, whole


def carry(draft: Draft, given: dict[str, Any]) -> None:
    """Give a service its profiles, and `autostart: false` where compose starts none of it."""
    named = texts(given.get("profiles"))
    wanted = [each for each in named if re.fullmatch(PROFILE, each, re.ASCII) and len(each) < 64]
    if "" in named:
        what = f"`profiles`: {', '.join(filter(None, named))}"
        remedy = "set `profiles` if it should not be"
        draft.leave(what, "an empty one is among them, so it is always started", remedy)
    elif wanted:
        draft.fields["profiles"] = list(dict.fromkeys(wanted))
    if strange := [each for each in named if each and each not in wanted]:
        draft.leave(f"`profiles`: {', '.join(strange)}", "services.yaml does not take that", "rename it")
    if copies(given) == 0:
        draft.fields["autostart"] = False


def copies(given: dict[str, Any]) -> int:
    """How many copies of a service compose starts."""
    told = (given.get("scale"), mapping(given.get("deploy")).get("replicas"))
    found = [number for each in told if (number := whole(each, 0, 10**6)) is not None]
    return found[0] if found else 1
