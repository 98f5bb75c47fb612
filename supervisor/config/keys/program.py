"""What runs, on which ports, in which environment."""

from supervisor.config.forms import program as forms
from supervisor.config.kinds import VARIABLE, Choice, Flag, Key, Section, Shape, Text, Whole
from supervisor.config.spec import Share, Stdin, Stdio

STDIO = Section(
    keys=(
        Key("mcp", Flag(only=True), "The program speaks the Model Context Protocol, one message per line."),
        Key(
            "share",
            Choice(tuple(Share), (("all", "one"), ("session", "per-session"), ("none", "per-session")), of=Share),
            "Whether one program serves all clients, or each session has one of its own.",
            "one",
        ),
        Key(
            "max",
            Whole(1, 1000),
            "How many sessions there may be at a time with `per-session`. Further ones are refused with 503.",
            "8",
            also=("limit", "max_sessions"),
        ),
    ),
    words=("mcp",),
    one_of=("mcp",),
    needs_one=True,
    of=Stdio,
)

KEYS = (
    Key("description", Text(longest=1000), "What the service is, in a few words.", is_live=True),
    Key(
        "command",
        Shape.COMMAND,
        "The program and its arguments: a list, or a text that is split as a shell would split it, without a shell.",
        required=True,
        also=("cmd", "entrypoint", "run", "exec", "script", "args"),
        form=forms.COMMAND,
    ),
    Key(
        "extends",
        Shape.EXTENDS,
        "Another service, of this file or of another, to start from; the keys given here are merged over its keys.",
        also=("extend", "inherits", "template", "base"),
        form=forms.NOT_KEPT,
    ),
    Key(
        "pool",
        Shape.POOL,
        "The ports of the service, in the order in which they are tried: a list, a range, one port, or a base and a "
        "size.",
        also=("ports", "port", "expose"),
        form=forms.POOL,
    ),
    Key(
        "port_env",
        Text(VARIABLE, "letters, digits and `_`, no digit first", 200, what="name of a variable"),
        "The environment variable that tells the program its port.",
        "PORT",
        also=("port_variable",),
        form=forms.PORT_ENV,
    ),
    Key(
        "fetch_url",
        Shape.HTTP_URL,
        "Another address of the service, for browsers and other clients of the Fetch standard, which refuse some "
        "ports. `up` and `doctor` print it.",
        more="The standard [lists those ports](https://fetch.spec.whatwg.org/#port-blocking); 6000 is one. "
        "`{url:NAME}/…` leads through another service.",
        is_live=True,
    ),
    Key(
        "environment",
        Shape.ENVIRONMENT,
        "Variables for the program: a mapping, or a list of NAME=VALUE. A variable without a value is taken from the "
        "environment of portsup.",
        also=("env", "environments", "envs", "vars"),
        form=forms.ENVIRONMENT,
    ),
    Key(
        "env_file",
        Shape.ENV_FILES,
        "Files of NAME=VALUE lines, relative to services.yaml. `environment` overrides them.",
        also=("env_files", "envfile", "dotenv"),
        form=forms.NOT_KEPT,
    ),
    Key(
        "working_dir",
        Text(r"[^\0]+", "a path", 4096, what="path"),
        "The directory that the program runs in, relative to services.yaml.",
        ".",
        also=("cwd", "directory", "dir", "chdir", "workdir", "root"),
        more="`~/` is the home directory.",
        form=forms.WORKING_DIR,
    ),
    Key(
        "stdin",
        Choice(("null", "open"), (("closed", "null"), ("none", "null"), ("true", "open"), ("pipe", "open")), of=Stdin),
        "What the program reads from its standard input: end of file at once, or a pipe to which nobody writes.",
        "null",
        also=("stdin_open", "standard_input", "input"),
        form=forms.STDIN,
    ),
    Key(
        "stdio",
        STDIO,
        "The program is no server: it speaks on its standard input and output, and portsup serves it on the port of "
        "the service.",
        also=("bridge", "mcp", "transport"),
    ),
)
