"""Sandra herself: decides, asks and counts."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from starlette.responses import Response, StreamingResponse

from examples.forward import Relay, relay
from examples.language import language_of
from examples.peers import Peers
from examples.sandra_ia.answers import Answer, Stream
from examples.sandra_ia.backends import TOO_SMALL, Backends
from examples.sandra_ia.chat import (
    MODELS,
    NOTHING_USED,
    as_parts,
    completion,
    mode_of,
    question,
    wants_form,
    wants_usage,
)
from examples.sandra_ia.classify import BACKENDS, Candidate, Decision, load
from examples.sandra_ia.modes import OF_ONE, Chorus, Failure, alone, compare, fusing, side_by_side, told
from examples.web import ServiceError

EVENTS = "text/event-stream"
SMALL = "small-model"  # who answers where the only model does not know the language
T = TypeVar("T")


class Sandra:
    """What the HTTP routes and the MCP tools are two faces of."""

    def __init__(self, table_path: Path, peers: Peers, silence: float, patience: float) -> None:
        self.table = load(table_path)
        self.backends = Backends(peers, silence, patience, self.table.sorry)
        self.tasks: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()

    def decide(self, text: str) -> Decision:
        if not text.strip():
            raise ServiceError("invalid_message", "the message is empty", 422)
        return self.table.decide(text)

    def introduction(self, language: str) -> str:
        """Who Sandra is."""
        known = self.table.introductions
        if language not in known:
            raise ServiceError("invalid_language", f"`language` must be one of {', '.join(known)}", 422)
        return known[language].answer

    async def ask(self, text: str, mode: str) -> dict[str, Any]:
        """One answer, or with `compare` what each candidate says; `fuse` gives both."""
        decision = self.decide(text)
        mode = mode_of(decision, mode)
        self._count(decision, mode)
        known = {"task": decision.task, "mode": mode}
        body = self._told({"messages": [{"role": "user", "content": text}]})
        if decision.answer:
            return {**known, "backend": "identity", "model": "sandra", "response": decision.answer, "ms": 0}
        candidates = in_language(decision.candidates, text)
        try:
            if mode == "single":
                return {**known, **told(await self.backends.answer(candidates, body))}
            said = await compare(self.backends, candidates, body)
        except ServiceError as error:
            if not (words := sorry_in(error)):
                raise
            return {**known, "backend": SMALL, "model": "sandra", "response": words, "ms": 0}
        answers = [told(one) for one in said]
        if mode == "compare":
            return {**known, "answers": answers}
        return {**known, **told(await self._fused(said, body, self.backends.answer)), "answers": answers}

    async def complete(self, body: dict[str, Any]) -> Response:
        """The answer to an OpenAI request, streamed if it says so."""
        asked = question(self.table, body)
        decision, mode = asked.decision, asked.mode
        streamed = bool(body.get("stream"))
        marks = {"x-sandra-task": decision.task, "x-sandra-mode": mode}
        if mode != "single" and not decision.answer and (unfit := {"tools", "functions"} & set(body)):
            message = f"`{unfit.pop()}` cannot be used with `{mode}`: ask for `sandra-single`"
            raise ServiceError("invalid_mode", message, 422)
        self._count(decision, mode)
        if decision.answer:
            return _said(decision.answer, {**marks, "x-sandra-backend": "identity"}, body)
        # A client that names a backend's model wants that one, whatever it knows.
        candidates = decision.candidates if asked.pinned else in_language(decision.candidates, asked.text)
        try:
            return await self._answer(mode, candidates, self._told(body), streamed, marks)
        except ServiceError as error:
            if wants_form(body) or not (words := sorry_in(error)):
                raise
            return _said(words, {**marks, "x-sandra-backend": SMALL}, body)

    async def vectors(self, body: dict[str, Any]) -> Response:
        """The answer to a request for vectors: those of a model on this machine, whatever `sandra` stands for."""
        wanted = str(body.get("model") or "").removeprefix("ollama/")
        response = await self.backends.vectors("" if wanted in MODELS else wanted, body)
        return relay(response, name=BACKENDS["ollama"], extra={"x-sandra-backend": BACKENDS["ollama"]})

    def _told(self, body: dict[str, Any]) -> dict[str, Any]:
        """The request with what a model is told, where the client tells it nothing."""
        messages = body["messages"]
        if not self.table.prompt or any(one.get("role") in ("system", "developer") for one in messages):
            return body
        return {**body, "messages": [{"role": "system", "content": self.table.prompt}, *messages]}

    async def _answer(
        self, mode: str, candidates: Sequence[Candidate], body: dict[str, Any], streamed: bool, marks: dict[str, str]
    ) -> Response:
        if mode == "single":
            return await self._single(candidates, body, streamed, marks)
        counted = {"stream_options": {"include_usage": True}} if wants_usage(body) else {}
        body = {name: value for name, value in body.items() if name not in OF_ONE}
        if mode == "compare" and streamed:
            return await self._chorus(candidates, {**body, **counted}, marks)
        said = await compare(self.backends, candidates, body)
        marks["x-sandra-backend"] = ",".join(one.candidate.backend for one in said if isinstance(one, Answer))
        if mode == "compare":
            return _json(side_by_side(said), marks)
        if not streamed:
            answer = await self._fused(said, body, self.backends.answer)
            return _json({**answer.document, "sandra": {"answers": [told(one) for one in said]}}, marks)
        fused = await self._fused(said, {**body, **counted}, self.backends.stream)
        if isinstance(fused, Answer):
            return StreamingResponse(alone(fused, with_usage=bool(counted)), headers=marks, media_type=EVENTS)
        return _passed_on(fused, marks)

    async def _single(
        self, candidates: Sequence[Candidate], body: dict[str, Any], streamed: bool, marks: dict[str, str]
    ) -> Response:
        if streamed:
            stream = await self.backends.stream(candidates, body)
            return _passed_on(stream, {**marks, "x-sandra-backend": stream.candidate.backend})
        answer = await self.backends.answer(candidates, body)
        marks = {**marks, "x-sandra-backend": answer.candidate.backend}
        return _json(answer.document, {**marks, "x-portsup-backend": answer.stand_in} if answer.stand_in else marks)

    async def _chorus(self, candidates: Sequence[Candidate], body: dict[str, Any], marks: dict[str, str]) -> Response:
        chorus = Chorus(self.backends, candidates, body)
        await chorus.begin()

        async def close() -> None:
            chorus.close()

        return Relay(chorus.parts(), 200, [("content-type", EVENTS), *marks.items()], close)

    async def _fused(
        self,
        said: Sequence[Answer | Failure],
        body: dict[str, Any],
        ask: Callable[[Sequence[Candidate], dict[str, Any]], Awaitable[T]],
    ) -> T | Answer:
        """One answer out of several, as `ask` gives it; the first of them where nobody can make it."""
        answers = [one for one in said if isinstance(one, Answer)]
        if len(answers) > 1:
            try:
                return await ask([one.candidate for one in answers], fusing(body, self.table.fuse, answers))
            except ServiceError:
                pass  # they answered a moment ago: better one of those answers than none
        return answers[0]

    def _count(self, decision: Decision, mode: str) -> None:
        self.tasks[decision.task] += 1
        self.modes["identity" if decision.answer else mode] += 1


def _json(document: dict[str, Any], marks: dict[str, str]) -> Response:
    # In ASCII: a document of a model may have half a letter at its end, which UTF-8 has no bytes for.
    return Response(json.dumps(document), headers=marks, media_type="application/json")


def in_language(candidates: Sequence[Candidate], text: str) -> list[Candidate]:
    """The candidates with the language of the question."""
    language = language_of(text)
    return [replace(candidate, language=language) for candidate in candidates]


def sorry_in(error: ServiceError) -> str:
    """What to say when nobody is there but a model that does not know the language; empty for other errors."""
    every = error.details.get("backends") or [{"code": error.code, "message": error.message}]
    return next((str(one["message"]) for one in every if one["code"] == TOO_SMALL), "")


def _said(text: str, marks: dict[str, str], body: dict[str, Any]) -> Response:
    """An answer of Sandra's own to a request."""
    if body.get("stream"):
        parts = as_parts(text, usage=NOTHING_USED if wants_usage(body) else None)
        return StreamingResponse(parts, headers=marks, media_type=EVENTS)
    return _json(completion(text), marks)


def _passed_on(stream: Stream, marks: dict[str, str]) -> Relay:
    return relay(stream.response, name=stream.candidate.backend, extra=marks, raw=stream.raw)


def as_dict(decision: Decision) -> dict[str, Any]:
    """A decision for a client to read."""
    models = [{"backend": candidate.backend, "model": candidate.model} for candidate in decision.candidates]
    return {
        "task": decision.task,
        "matches": decision.matches,
        "mode": decision.mode,
        "models": models,
        "needs_model": not decision.answer,
    }
