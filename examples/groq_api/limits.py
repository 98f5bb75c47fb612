"""What Groq says about the limits of each model, and the limits that this service is told to keep itself."""

import math
import re
import time
from collections import deque
from collections.abc import Mapping

from examples.service import SettingError
from examples.web import ServiceError

KINDS = ("requests", "tokens")
MOST_MODELS = 200  # that are remembered; Groq has some dozens
MINUTE = 60.0


class Limits:
    """What is left of each model's limits with each key, from the headers of the last answer.

    https://console.groq.com/docs/rate-limits: `x-ratelimit-remaining-requests` is of a day, `-tokens` of a minute.
    """

    def __init__(self) -> None:
        self._left: dict[str, dict[int, dict[str, float]]] = {}

    def learn(self, model: str, key: int, headers: Mapping[str, str]) -> None:
        """Takes in what an answer tells."""
        told = {kind: headers.get(f"x-ratelimit-remaining-{kind}", "") for kind in KINDS}
        left = {kind: float(text) for kind, text in told.items() if re.fullmatch(r"\d{1,15}(\.\d+)?", text)}
        if left and model and (model in self._left or len(self._left) < MOST_MODELS):
            self._left.setdefault(model, {}).setdefault(key, {}).update(left)

    def report(self) -> dict[str, dict[str, float]]:
        """By model, what is left of requests and tokens with all keys together."""
        return {
            model: {
                kind: sum(left[kind] for left in by_key.values() if kind in left)
                for kind in KINDS
                if any(kind in left for left in by_key.values())
            }
            for model, by_key in self._left.items()
        }


class Pace:
    """How many requests a minute each model may get through this service: `llama-3.1-8b-instant=30, *=100`.

    `*` is each model that is not named. So several programs that share the keys can be kept from using them up, or one
    of them from spending money.
    """

    def __init__(self, text: str) -> None:
        self._most: dict[str, int] = {}
        for entry in filter(None, map(str.strip, text.split(","))):
            model, _, number = (part.strip() for part in entry.rpartition("="))
            if not model or not re.fullmatch(r"[0-9]{1,6}", number):
                raise SettingError(f"`GROQ_MODEL_LIMITS` must be like `MODEL=30, *=100`, and `{entry}` is not")
            self._most[model] = int(number)
        self._asked: dict[str, deque[float]] = {}

    def take(self, model: str, now: float | None = None) -> None:
        """Counts a request; a ServiceError when it is one too many. `now` is monotonic seconds."""
        if (most := self._most.get(model, self._most.get("*"))) is None or not model:
            return
        now = time.monotonic() if now is None else now
        if model not in self._asked and len(self._asked) >= MOST_MODELS:
            self._asked = {name: asked for name, asked in self._asked.items() if asked[-1] > now - MINUTE}
        asked = self._asked.setdefault(model, deque(maxlen=max(most, 1)))
        if most and (len(asked) < most or asked[0] <= now - MINUTE):
            asked.append(now)
            return
        wait = math.ceil(asked[0] + MINUTE - now) if asked else MINUTE
        if not asked:
            del self._asked[model]
        why = f"`{model}` may be asked {most} times a minute through this service (GROQ_MODEL_LIMITS)"
        raise ServiceError("model_limited", why, 429, retry_after=wait)
