"""argparse without gettext.

It asks gettext for translations of its words, of which there are none: that takes `status` a twentieth of its time, as
gettext looks for them by the locale.
"""

import sys
import types

if not {"argparse", "gettext"} & sys.modules.keys():
    _stand_in = types.ModuleType("gettext")
    _stand_in.gettext = lambda message: message  # type: ignore[attr-defined]
    _stand_in.ngettext = lambda one, many, count: one if count == 1 else many  # type: ignore[attr-defined]
    sys.modules["gettext"] = _stand_in
    try:
        import argparse
    finally:
        del sys.modules["gettext"]  # who imports it later gets the real one
else:
    import argparse

__all__ = ["argparse"]
