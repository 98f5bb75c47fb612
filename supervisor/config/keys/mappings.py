"""The mappings as which a pool, a file of variables, a dependency and the like can be written."""

from supervisor.config import values
from supervisor.config.kinds import Choice, Flag, Key, Section, Shape, Text, Whole
from supervisor.config.spec import Condition

CONDITION = Key(
    "condition",
    Choice(
        tuple(Condition),
        (
            ("service_started", "started"),
            ("process_started", "started"),
            ("running", "ready"),
            ("healthy", "ready"),
            ("service_healthy", "ready"),
            ("process_healthy", "ready"),
            ("process_log_ready", "ready"),
            ("service_completed", "completed"),
            ("completed_successfully", "completed_ok"),
            ("service_completed_successfully", "completed_ok"),
            ("process_completed", "completed"),
            ("process_completed_successfully", "completed_ok"),
        ),
    ),
    "The state that the other service must have reached.",
    "ready",
)
RESTART = Key(
    "restart",
    Flag(),
    "Whether portsup restarts this service after it has restarted the other one.",
    "false",
    also=("restarts",),
)
NEED = Section((CONDITION, RESTART))
POOL_OF_SIZE = Section(
    (
        Key("base", Whole(1, 65535), "The first port.", required=True, also=("start", "first", "from")),
        Key(
            "size",
            Whole(1, values.LARGEST_POOL),
            "How many ports.",
            str(values.DEFAULT_POOL_SIZE),
            also=("count", "length"),
        ),
    )
)
EXTENDS = Section(
    (
        Key(
            "file",
            Text(r"[^\0]+", "a path", 4096, what="path"),
            "The file of that service, relative to the file that names it.",
        ),
        Key("service", Text(what="name"), "The service to start from.", required=True),
    )
)
ENV_FILE = Section(
    (
        Key(
            "path", Text(r"[^\0]+", "a path", 4096, what="path"), "The file, relative to services.yaml.", required=True
        ),
        Key("required", Flag(), "Whether a missing file is an error.", "true"),
    )
)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

HTTP = Section(
    keys=(
        Key("path", Shape.HTTP_PATH, "The path to request.", required=True, also=("url", "uri")),
        Key(
            "method",
            Choice(_METHODS, tuple((each.lower(), each) for each in _METHODS)),
            "The method of the request.",
            "GET",
            more="The request has no body.",
        ),
        Key(
            "headers",
            Shape.HEADERS,
            "The headers of the request, by name.",
            also=("header", "http_headers", "httpheaders"),
            more="`Host`, `User-Agent` and `Accept` given here override those of portsup.",
        ),
        Key(
            "status",
            Shape.STATUSES,
            "The statuses that mean success: a number, a range such as 200-299, or a list of them.",
            "200-399",
            also=("statuses", "status_code", "code", "expected_status", "expect"),
        ),
        Key("contains", Text(longest=1000), "A text that the body of the answer must contain.", also=("body",)),
        Key(
            "matches",
            Shape.REGEX,
            "A regular expression that must match a part of the body.",
            also=("regex", "match"),
            more="If it uses more than 20 ms of processor time, the probe has failed.",
        ),
    )
)
