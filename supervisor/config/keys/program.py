"""What runs, on which ports, in which environment."""

from supervisor.config.kinds import (
    VARIABLE,
    Choice,
    Key,
    Shape,
    Text,
)

KEYS = (
    Key("description", Text(longest=1000), "What the service is, in a few words."),
    Key(
        "command",
        Shape.COMMAND,
        "The program and its arguments: a list, or a text that is split like a shell would, without a shell.",
        required=True,
        also=("cmd", "entrypoint", "run", "exec", "script", "args"),
    ),
    Key(
        "extends",
        Shape.EXTENDS,
        "Another service, of this file or of another, to begin with; what is said here is merged over it.",
        also=("extend", "inherits", "template", "base"),
    ),
    Key(
        "pool",
        Shape.POOL,
        "The ports of the service in the order they are tried: a list, a range, one port, or a base and a size.",
        also=("ports", "port", "expose"),
    ),
    Key(
        "port_env",
        Text(VARIABLE, "letters, digits and `_`, no digit first", 200),
        "The environment variable that tells the program its port.",
        "PORT",
        also=("port_variable",),
    ),
    Key(
        "fetch_url",
        Shape.HTTP_URL,
        "Another address of the service, for browsers and other clients of the Fetch standard, which refuse some "
        "ports: `up` and `doctor` name it.",
    ),
    Key(
        "environment",
        Shape.ENVIRONMENT,
        "Variables for the program: a mapping or a list of NAME=VALUE; one without a value is taken from outside.",
        also=("env", "environments", "envs", "vars"),
    ),
    Key(
        "env_file",
        Shape.ENV_FILES,
        "Files of NAME=VALUE lines, relative to services.yaml; `environment` wins over them.",
        also=("env_files", "envfile", "dotenv"),
    ),
    Key(
        "working_dir",
        Text(r"[^\0]+", "a path", 4096),
        "The folder the program runs in, relative to services.yaml.",
        ".",
        also=("cwd", "directory", "dir", "chdir", "workdir", "root"),
    ),
    Key(
        "stdin",
        Choice(("null", "open"), (("closed", "null"), ("none", "null"), ("true", "open"), ("pipe", "open"))),
        "What the program reads from its standard input: the end of it at once, or a pipe that stays silent.",
        "null",
        also=("stdin_open", "standard_input", "input"),
    ),
)
