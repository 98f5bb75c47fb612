"""More than one model for one question: what each says (`compare`), or one answer out of theirs (`fuse`)."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from examples.sandra_ia.answers import Answer
from examples.sandra_ia.backends import Backends, all_failed
from examples.sandra_ia.chat import NOTHING_USED, as_parts, completion, head_of, wants_usage
from examples.sandra_ia.classify import Candidate
from examples.web import ServiceError

# What one answer out of several cannot have: choices and calls of functions do not add up.
OF_ONE = ("tools", "tool_choice", "functions", "function_call", "n", "logprobs", "top_logprobs", "stream_options")


@dataclass(frozen=True, slots=True)
class Failure:
    """A candidate that did not answer."""

    candidate: Candidate
    error: ServiceError


async def compare(backends: Backends, candidates: Sequence[Candidate], body: dict[str, Any]) -> list[Answer | Failure]:
    """What each candidate says, all asked at once; a ServiceError when none has an answer."""

    async def one(candidate: Candidate) -> Answer | Failure:
        try:
            return await backends.answer([candidate], body)
        except ServiceError as error:
            return Failure(candidate, _itself(error))

    async with asyncio.TaskGroup() as group:  # whoever gives up waiting ends all of them
        tasks = [group.create_task(one(candidate)) for candidate in candidates]
    said = [task.result() for task in tasks]
    if not any(isinstance(one, Answer) for one in said):
        raise all_failed([one.error for one in said if isinstance(one, Failure)])
    return said


def fusing(body: dict[str, Any], prompt: str, answers: Sequence[Answer]) -> dict[str, Any]:
    """The request that makes one answer out of several: the last question, what to do, and the answers to it."""
    drafts = [f"Answer {number}:\n{answer.text}" for number, answer in enumerate(answers, 1)]
    task = "\n\n".join([prompt, *drafts])
    messages: list[dict[str, Any]] = [*body["messages"]]
    asked = max((at for at, message in enumerate(messages) if message.get("role") == "user"), default=-1)
    content = messages[asked].get("content") if asked >= 0 else None
    if isinstance(content, list):
        messages[asked] = {**messages[asked], "content": [*content, {"type": "text", "text": task}]}
    elif asked >= 0:
        messages[asked] = {**messages[asked], "content": f"{content or ''}\n\n{task}"}
    else:
        messages.append({"role": "user", "content": task})
    return {**body, "messages": messages}


def told(one: Answer | Failure) -> dict[str, Any]:
    """What a candidate said, for a client to read."""
    known = {"backend": one.candidate.backend, "model": one.candidate.model}
    if isinstance(one, Answer):
        return {**known, "response": one.text, "ms": one.ms}
    return {**known, "error": {"code": one.error.code, "message": one.error.message}}


def side_by_side(said: Sequence[Answer | Failure]) -> dict[str, Any]:
    """A comparison in OpenAI's shape: a choice for each that answered, and who it was in `sandra`."""
    answers = [one for one in said if isinstance(one, Answer)]
    choices = [
        {**one.document["choices"][0], "index": index, "model": one.candidate.model}
        for index, one in enumerate(answers)
    ]
    usage = summed([one.document.get("usage") for one in answers])
    document = {**completion("", "sandra-compare"), "choices": choices, "usage": usage}
    return {**document, "sandra": {"answers": [told(one) for one in said]}}


def summed(usages: Sequence[Any]) -> dict[str, int]:
    """The tokens of several answers together."""
    counts = [[usage.get(name) for usage in usages if isinstance(usage, dict)] for name in NOTHING_USED]
    sums = [sum(count for count in each if isinstance(count, int)) for each in counts]
    return dict(zip(NOTHING_USED, sums, strict=True))


class Chorus:
    """Several streams as one, as their parts come: OpenAI's events with the candidate's place as `index`.

    `begin` returns when the first has something to say, so that a client whose question nobody can answer gets an
    error and not an empty stream.
    """

    def __init__(self, backends: Backends, candidates: Sequence[Candidate], body: dict[str, Any]) -> None:
        self._backends = backends
        self._candidates = candidates
        self._body = body
        self._usages: list[Any] = []
        self._head = head_of("chat.completion.chunk", "sandra-compare")
        self._heard: asyncio.Queue[dict[str, Any] | ServiceError | None] = asyncio.Queue(16)
        self._singers: list[asyncio.Task[None]] = []
        self._first: list[dict[str, Any]] = []

    async def begin(self) -> None:
        self._singers = [asyncio.create_task(self._sing(*one)) for one in enumerate(self._candidates)]
        failed: list[ServiceError] = []
        try:
            while not any(event["choices"] for event in self._first) and not self._is_over():
                heard = await self._heard.get()
                if isinstance(heard, ServiceError):
                    failed.append(heard)
                    self._first.append(self._failure(heard))
                elif heard:
                    self._first.append(heard)
                if len(failed) == len(self._singers):
                    raise all_failed(failed)
        except BaseException:
            self.close()
            raise

    async def parts(self) -> AsyncIterator[bytes]:
        for event in self._first:
            yield _data(event)
        while not self._is_over():
            heard = await self._heard.get()
            if heard:
                yield _data(self._failure(heard) if isinstance(heard, ServiceError) else heard)
        if wants_usage(self._body):
            yield _data({**self._head, "choices": [], "usage": summed(self._usages)})
        yield b"data: [DONE]\n\n"

    def _is_over(self) -> bool:
        return all(singer.done() for singer in self._singers) and self._heard.empty()

    def close(self) -> None:
        for singer in self._singers:
            singer.cancel()

    def _failure(self, error: ServiceError) -> dict[str, Any]:
        facts = {"code": error.code, "message": error.message, **error.details}
        return {**self._head, "choices": [], "sandra": {"error": facts}}

    async def _sing(self, index: int, candidate: Candidate) -> None:
        try:
            stream = await self._backends.stream([candidate], self._body)
            try:
                async for event in _events(stream.raw):
                    if isinstance(event.get("error"), dict):
                        raise ServiceError(
                            "upstream_error", str(event["error"].get("message")), backend=candidate.backend
                        )
                    self._usages.append(event.get("usage"))
                    choices = event.get("choices")
                    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
                        choice = {**choices[0], "index": index}
                        await self._heard.put({**self._head, "model": stream.candidate.model, "choices": [choice]})
            finally:
                await stream.response.aclose()
        except ServiceError as error:
            await self._heard.put(_itself(error))
        except httpx2.HTTPError:
            text = f"{candidate.backend} broke off its answer"
            await self._heard.put(ServiceError("upstream_broke_off", text, 502, backend=candidate.backend))
        finally:
            # Wakes whoever waits for the next part, when there is none.
            if self._heard.empty():
                self._heard.put_nowait(None)


def alone(answer: Answer, *, with_usage: bool) -> AsyncIterator[bytes]:
    """A finished answer as a stream."""
    return as_parts(answer.text, answer.candidate.model, summed([answer.document.get("usage")]) if with_usage else None)


async def _events(raw: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of a stream of events; others, as `[DONE]`, are left out."""
    rest = b""
    async for part in raw:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                try:
                    event = json.loads(line.removeprefix(b"data:"))
                except (ValueError, RecursionError):
                    continue
                if isinstance(event, dict):
                    yield event


def _data(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


def _itself(error: ServiceError) -> ServiceError:
    """What the only candidate said, out of the error for "all" of them."""
    backends = error.details.get("backends")
    if not backends:
        return error
    only = dict(backends[0])
    return ServiceError(only.pop("code"), only.pop("message"), error.status, error.retry_after, **only)
