"""Groq's last words about a limit that was met, kept for whoever asks for the same model."""

from dataclasses import dataclass

import httpx2

MOST = 64 * 1024  # bytes of an answer with 429; Groq sends a few hundred


@dataclass(frozen=True, slots=True)
class Words:
    """An answer with 429 that can be given any number of times."""

    headers: httpx2.Headers
    body: bytes  # as it was sent, which may be compressed

    def again(self, wait: int | None = None) -> httpx2.Response:
        """The answer as it was, or with the seconds that are to be waited now."""
        headers = httpx2.Headers(self.headers)
        if wait is not None:
            headers["retry-after"] = str(wait)
        return httpx2.Response(429, headers=headers, stream=httpx2.ByteStream(self.body))


async def words_of(answer: httpx2.Response) -> Words:
    """Reads an answer to its end; what is too long, or breaks off, is cut."""
    parts: list[bytes] = []
    try:
        async for part in answer.aiter_raw():
            parts.append(part)
            if sum(map(len, parts)) > MOST:
                break
    except httpx2.HTTPError:
        pass
    finally:
        await answer.aclose()
    unwanted = ("content-length", "transfer-encoding", "connection", "date")
    kept = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in unwanted]
    return Words(httpx2.Headers(kept), b"".join(parts))
