"""A conversation that has outgrown the model's context: what is left of it."""

from collections.abc import Sequence

AROUND = 8  # tokens that a message takes besides its text, and more than it does in the models that were looked at
BEFORE = 32  # tokens before the first message: some models are told who they are, when nobody else says it


def kept(messages: Sequence[dict[str, str]], tokens: Sequence[int], room: int) -> list[dict[str, str]]:
    """The messages that fit into `room` tokens, of which each takes as many as `tokens` says.

    The oldest go first. What the system says and the last message stay, whatever they take; what is left of the
    conversation begins with a question.
    """
    sizes = [size + AROUND for size in tokens]
    over = BEFORE + sum(sizes) - room
    gone: set[int] = set()
    for index, message in enumerate(messages[:-1]):
        if message["role"] == "system":
            continue
        if over <= 0 and message["role"] != "assistant":
            break
        if over <= 0 and not gone:
            break
        gone.add(index)
        over -= sizes[index]
    return [message for index, message in enumerate(messages) if index not in gone]


def surely_fits(messages: Sequence[dict[str, str]], room: int) -> bool:
    """Whether there is no need to count: a token has a byte at least."""
    return BEFORE + sum(len(message["content"].encode()) + AROUND for message in messages) <= room
