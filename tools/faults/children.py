"""Child processes that may be killed, forked from a process that has imported what they need."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Windows has neither
    from multiprocessing.context import ForkServerContext, ForkServerProcess

HANG = 60  # seconds after which a child counts as hanging
# The modules by name: `helpers` itself loads nothing before it is used.
LOADED = ["helpers.embed.embedding", "helpers.videos.samples", "tools.faults.store"]


def forkserver(*more: str) -> "ForkServerContext":
    """The context to start children from. They find `more` imported, first, if none was started before."""
    context = multiprocessing.get_context("forkserver")
    LOADED[:0] = [name for name in more if name not in LOADED]
    context.set_forkserver_preload(LOADED)
    return context


def _call(environment: Mapping[str, str], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background of a shell
    function(*args)


def child(function: Callable[..., Any], *args: Any) -> "ForkServerProcess":
    """A process, still to be started, that calls the function under the switches that are set here and now.

    The process that it is forked from keeps those of its own start, which may be another test's.
    """
    return forkserver().Process(target=_call, args=(dict(os.environ), function, args))


def _send(pipe: Any, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    pipe.send(function(*args))


def in_child(function: Callable[..., Any], *args: Any) -> Any:
    """The function's result from a process of its own, "killed" if that was killed, "hangs" if it does not end."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = child(_send, there, function, args)
    process.start()
    there.close()
    try:
        result = here.recv() if here.poll(HANG) else "hangs"
    except EOFError:
        result = "killed"
    if result == "hangs":
        process.kill()
    process.join()
    if result == "killed" and process.exitcode != -signal.SIGKILL:
        raise AssertionError(f"the child ended with {process.exitcode}: its error stands above")
    return result
