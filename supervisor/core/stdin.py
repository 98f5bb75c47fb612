"""What a service reads where it expects a person: nothing at all, or a silence without end."""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

# `--watch`, `--watch=src`, `--watch-path`, `watch`, `tailwindcss:watch`, `css-watch`; `-w`, but not `gunicorn -w 4`.
_WATCH = re.compile(r"--?watch(?:$|[=:-]).*|(?:[\w.-]+[:-])?watch", re.ASCII)


class Stdin(StrEnum):
    """What a service has as its standard input."""

    NULL = "null"  # /dev/null: it is at its end at once
    OPEN = "open"  # a pipe that nobody writes to: it does not end before the service does


def seems_to_watch(command: Sequence[str]) -> bool:
    """Whether a command looks like one of those that watch files until their standard input ends."""
    words = [word for text in command for word in re.split(r"[\s;&|()]+", text)][1:]
    short = any(word == "-w" and not after.isdigit() for word, after in pairwise((*words, "")))
    return short or any(_WATCH.fullmatch(word) for word in words)
