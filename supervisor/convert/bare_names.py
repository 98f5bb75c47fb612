"""Variables whose value is nothing but the name of a service: whether it is the host that is meant, or a word."""

import re

# `POSTGRES_USER: postgres`, `CACHE_DRIVER: redis`, `SERVER_NAME: api`, `CONTAINER_ROLE: worker`: words.
_WORD = re.compile(
    r"USER|PASS|SECRET|NAME|DATABASE|DB$|DRIVER|TYPE|STOR(?:E|AGE)|BACKEND|ENGINE|KIND|DIALECT|SCHEME|CONNECTION|MODE"
    r"|ROLE|ENV|TITLE|LABEL|TAG|APP|QUEUE|TOPIC|CHANNEL|PREFIX|GROUP|PROFILE|STAGE|TASK|BUILD|COMMAND|MODULE|LEVEL|LANG",
    re.ASCII | re.IGNORECASE,
)
_HOST = re.compile(r"HOST_?NAMES?|HOST|SERVER|ADDR(?:ESS)?|UR[LI]|ENDPOINT|(?:^|_)IP(?:_|$)", re.ASCII | re.IGNORECASE)


def is_host(variable: str, is_own: bool) -> bool:
    """Whether a variable with this name has a host as its value, where that is the name of a service.

    `is_own`: of the service itself, which seldom asks itself.
    """
    if found := list(_HOST.finditer(variable)):
        return not _WORD.search(variable[found[-1].end() :])
    return not is_own and not _WORD.search(variable)
