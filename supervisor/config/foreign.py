"""YAML of other programs as plain data: forgiving where services.yaml is strict, and every value a text as written."""


import yaml
from yaml.composer import Composer

from supervisor.annotations import Any
from supervisor.dataclass import dataclass
from supervisor.errors import PortsupError

_Safe: Any = yaml.SafeLoader
if hasattr(yaml, "CSafeLoader"):

    class _Quick(Composer, yaml.CSafeLoader):
        """libyaml's parser, which is ten times as fast, with PyYAML's composer: that of libyaml crashes where a file
        is nested too deeply.
        """

        def __init__(self, stream: Any) -> None:
            yaml.CSafeLoader.__init__(self, stream)
            Composer.__init__(self)

    _Safe = _Quick


class _Loader(_Safe):  # type: ignore[misc]
    """Takes `1.10`, `no` and `2024-01-01` for the characters they are; only nothing and merging keep their meaning."""


_KEPT = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
_Loader.yaml_implicit_resolvers = {
    first: kept
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [(tag, pattern) for tag, pattern in known if tag in _KEPT])
}


@dataclass(frozen=True, slots=True)
class Tagged:
    """What compose's `!reset` or `!override` stands before."""

    tag: str
    value: Any


def _tagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    value = _without_tag(loader, node)
    return Tagged(tag, value) if tag in ("!reset", "!override") else value


def _without_tag(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    """What a tag of another program's own stands before."""
    match node:
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case yaml.ScalarNode():
            return loader.construct_scalar(node)


_Loader.add_multi_constructor("", _tagged)


def from_yaml(text: str, file: str) -> Any:
    """What the first document of `text` says; raises PortsupError where it is no YAML."""
    try:
        return next(iter(yaml.load_all(text, _Loader)), None)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        why = " ".join(str(error).split())
        raise PortsupError(f"cannot read `{file}`", f"it is no YAML: {why[:300]}") from error


def to_yaml(value: Any, width: int) -> str:
    """Plain data as YAML for people to read, in lines of about `width` characters."""
    plain = _plain(value, 0)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=width, default_flow_style=None)


def _plain(value: Any, depth: int) -> Any:
    match value:
        case _ if depth > 8:
            return "…"
        case Tagged():
            return _plain(value.value, depth + 1)
        case dict():
            return {str(key): _plain(item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, depth + 1) for item in value]
        case str():
            return str(value)
        case int() | float() | None:
            return value
    return str(value)
