"""Speaks MCP on its standard input and output, in few words of its own: it has to be quick to start."""

import json
import os
import subprocess
import sys

TOOLS = ("pid", "add", "slow", "die", "fork", "ask")


def say(**message: object) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def text(words: object) -> dict[str, object]:
    return {"content": [{"type": "text", "text": str(words)}]}


def called(name: str, arguments: dict[str, int], token: object) -> dict[str, object]:
    if name == "add":
        return text(arguments["a"] + arguments["b"])
    if name == "slow":
        for step in range(3):
            params = {"progressToken": token, "progress": step, "total": 3}
            say(method="notifications/progress", params=params)
    if name == "die":
        os._exit(3)
    if name == "fork":
        return text(subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).pid)
    if name == "ask":
        say(id="q", method="sampling/createMessage", params={"maxTokens": 1, "messages": []})
        answer = json.loads(sys.stdin.readline())
        return text("error" if "error" in answer else answer["result"]["content"]["text"])
    return text(os.getpid())


def main() -> None:
    print("it runs", file=sys.stderr, flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        params = message.get("params") or {}
        match message.get("method"):
            case "initialize":
                info = {"name": "speaks", "version": "1"}
                result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                          "serverInfo": info, "instructions": "be brief"}  # fmt: skip
            case "tools/list":
                schema = {"type": "object"}
                result = {"tools": [{"name": name, "inputSchema": schema} for name in TOOLS]}
            case "tools/call":
                token = (params.get("_meta") or {}).get("progressToken")
                result = called(params["name"], params.get("arguments") or {}, token)
            case _:
                continue
        say(id=message["id"], result=result)


main()
