"""Sandra herself: decides, asks and counts."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

from examples.peers import Peers
from examples.sandra_ia.backends import Backends
from examples.sandra_ia.classify import Candidate, Decision, load
from examples.web import ServiceError


class Sandra:
    """What the HTTP routes and the MCP tools are two faces of."""

    def __init__(self, table_path: Path, peers: Peers) -> None:
        self.table = load(table_path)
        self.backends = Backends(peers)
        self.tasks: Counter[str] = Counter()

    async def ask(self, text: str, mode: str) -> dict[str, Any]:
        """One answer, or with `compare` what each candidate says."""
        decision = self.decide(text)
        self.tasks[decision.task] += 1
        messages = [{"role": "user", "content": text}]
        started = time.monotonic()

        def told(candidate: Candidate, answer: str) -> dict[str, Any]:
            ms = round((time.monotonic() - started) * 1000)
            return {"backend": candidate.backend, "model": candidate.model, "response": answer, "ms": ms}

        async def one(candidate: Candidate) -> dict[str, Any]:
            try:
                return told(*await self.backends.text([candidate], messages))
            except ServiceError as error:
                return {"backend": candidate.backend, "model": candidate.model, "error": error.body()["error"]}

        if decision.answer:
            answer = told(Candidate("identity", "sandra"), decision.answer)
        elif mode == "compare":
            answers = await asyncio.gather(*(one(candidate) for candidate in decision.candidates))
            return {"task": decision.task, "answers": answers}
        else:
            answer = told(*await self.backends.text(decision.candidates, messages))
        return {"task": decision.task, **answer}

    def decide(self, text: str) -> Decision:
        if not text.strip():
            raise ServiceError("invalid_message", "the message is empty", 422)
        return self.table.decide(text)


def as_dict(decision: Decision) -> dict[str, Any]:
    """A decision for a client to read."""
    models = [{"backend": candidate.backend, "model": candidate.model} for candidate in decision.candidates]
    return {"task": decision.task, "matches": decision.matches, "models": models, "needs_model": not decision.answer}
