"""A call in a process of its own, which ends when its time is over."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection


class OverBudgetError(RuntimeError):
    """The call took longer than it was given."""


class FailedError(RuntimeError):
    """The call raised an error, or its process died."""


def within(seconds: float, function: Callable, *arguments: object) -> object:
    """Result of ``function(*arguments)`` in a new process, whose imports do not count.

    A crash of compiled code ends that process alone. OverBudgetError after ``seconds``; FailedError
    with the reason if the call fails.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()  # so that the death of the process ends the wait
    try:
        receiver.recv()  # all is imported
        if not receiver.poll(seconds):
            raise OverBudgetError(f"not done in {seconds:g} s")
        result, error = receiver.recv()
    except EOFError:
        process.join()
        raise FailedError(f"its process ended with code {process.exitcode}") from None
    finally:
        process.kill()
        process.join()
    if error:
        raise FailedError(error)
    return result


def _answer(sender: Connection, function: Callable, arguments: tuple) -> None:
    sender.send("ready")
    try:
        sender.send((function(*arguments), None))
    except Exception as error:
        sender.send((None, f"{type(error).__name__}: {error}"))
