"""prctl(2), which every process of portsup needs, also the one in front of the daemon.

It is called through the part of ctypes that is in C: to import the other one takes 2 ms and half a MiB more.
"""

import _ctypes

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class _Long(_ctypes._SimpleCData):  # type: ignore[type-arg]  # it has none while it runs
    _type_ = "L"


class _Function(_ctypes.CFuncPtr):
    _flags_ = _ctypes.FUNCFLAG_CDECL
    _restype_ = _Long


_library = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # this program itself, dlopen(3)
_prctl = _Function(_ctypes.dlsym(_library, "prctl"))
_NOTHING = _Long(0)


def prctl(option: int, value: int) -> bool:
    """prctl(2) with one argument; whether the kernel did it."""
    return bool(_prctl(_Long(option), _Long(value), _NOTHING, _NOTHING, _NOTHING) == 0)
