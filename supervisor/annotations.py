"""What annotations need of `typing`, of which nobody asks anything while the program runs.

To import `typing` takes a daemon 1.3 ms and half a MiB.  Type checkers see the original.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as Any
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import TypeVar as TypeVar
    from typing import TypeVarTuple as TypeVarTuple
else:

    class _Form:
        """Stands for a type; can be combined with others as types can."""

        __slots__ = ("name",)

        def __init__(self, name, *bounds, **options):
            self.name = name

        def __repr__(self):
            return self.name

        def __getitem__(self, arguments):
            return self

        def __or__(self, other):
            return self

        __ror__ = __or__

        def __iter__(self):
            yield self

    class Protocol:
        """The base of what says which methods somebody must have; `isinstance` cannot ask it."""

    Any = _Form("Any")
    NoReturn = _Form("NoReturn")
    TypeVar = TypeVarTuple = _Form
