"""What is wanted of the embedded model's vectors."""

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from examples.ollama_mcp import dialect


@dataclass(frozen=True, slots=True)
class VectorWish:
    """A request to `/api/embed`, or for vectors of fewer dimensions."""

    texts: Sequence[str]
    truncate: bool
    dimensions: int  # 0 for all

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "VectorWish":
        texts = body.get("input", [])
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
            raise dialect.refuse("`input` must be a text or a list of texts")
        dimensions = body.get("dimensions") or 0
        if not isinstance(dimensions, int) or dimensions < 0:
            raise dialect.refuse("`dimensions` must be a whole number")
        return cls(texts, body.get("truncate") is not False, dimensions)

    def cut(self, vector: list[float]) -> list[float]:
        """The vector, no longer than was asked for and of length 1 again."""
        if not 0 < self.dimensions < len(vector):
            return vector
        vector = vector[: self.dimensions]
        length = math.hypot(*vector) or 1.0
        return [value / length for value in vector]

    def cut_all(self, document: dict[str, Any], *, as_base64: bool) -> dict[str, Any]:
        """An answer of `/v1/embeddings` with its vectors cut."""
        data = [{**one, "embedding": self.cut(one["embedding"])} for one in document["data"]]
        if as_base64:  # of floats with 32 bits
            data = [{**one, "embedding": _base64(one["embedding"])} for one in data]
        return {**document, "data": data}


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
