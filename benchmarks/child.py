"""Run by itself in a clean interpreter, as Lambda runs a function: import the handler, call it, tell what that took.

Reads {"event", "cold", "warm", "rounds", "calls"} as JSON from standard input, where `cold` and `warm` are the answers
of AWS to the first call of the handler and to each that follows; reads nothing if only the import is wanted. With an
argument it imports the handler, without one nothing. Above that it may import only what every interpreter has anyway.
"""

import sys
import time

before = set(sys.modules)
begin = time.process_time()
if sys.argv[1:]:
    import app  # type: ignore[import-not-found]
imported = time.process_time()
modules = sorted(set(sys.modules) - before)

import json  # noqa: E402
import resource  # noqa: E402
from collections import deque  # noqa: E402


class Raw:
    """A body as urllib3 hands it over."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> list[bytes]:
        """All of it."""
        return [self._body]


def memory() -> int:
    """The most memory that the process ever held, in KB: from Linux itself, since `getrusage` counts a parent's too."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most // 1024 if sys.platform == "darwin" else most


def replay(given: dict) -> dict:  # type: ignore[type-arg]
    """Call the handler with a transport that answers at once; seconds of the first call and of one that follows."""
    from botocore.awsrequest import AWSResponse
    from botocore.endpoint import Endpoint

    answers: deque[bytes] = deque()

    def send(_: Endpoint, request: object) -> AWSResponse:
        return AWSResponse("https://aws", 200, {"content-type": "application/json"}, Raw(answers.popleft()))

    Endpoint._send = send
    cold, warm = ([json.dumps(answer).encode() for answer in given[name]] for name in ("cold", "warm"))
    answers.extend(cold)
    start = time.process_time()
    app.handler(given["event"], None)
    first = time.process_time() - start
    assert not answers, "the first call made fewer AWS calls than were recorded"
    held = memory()
    later = []
    for _ in range(given["rounds"]):
        answers.extend(warm * given["calls"])
        start = time.process_time()
        for _ in range(given["calls"]):
            app.handler(given["event"], None)
        later.append((time.process_time() - start) / given["calls"])
        assert not answers, "a warm call made fewer AWS calls than were recorded"
    return {"first": first, "warm": min(later), "memory": held}


found = {"total": imported, "import": imported - begin, "modules": modules}
found["memory"] = memory()
text = sys.stdin.read()
if text:
    found["replay"] = replay(json.loads(text))
print(json.dumps(found))
