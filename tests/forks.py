"""Modules run as forks of a Python that has loaded slow packages: most of the work of a small job.

A fork has a process, a command line, an environment and outputs of its own, and imports what is
ours anew. Forks of one server share the order of sets and the seeds of random numbers that nobody
has set: whether a run can be repeated is told by two servers.
"""

import atexit
import importlib
import json
import os
import runpy
import shlex
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

CLIENT = Path(__file__).with_name("fork_client.py")
# A shell that has this in its environment takes it for `python`.
FUNCTION = """() {{ if [ "$1" = -m ]; then {client} "$@"; else command python "$@"; fi
}}"""


class Forks:
    """A server of forks that have loaded these packages."""

    def __init__(self, *packages: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="forks-")  # sockets want a short path
        address = f"{self.folder.name}/socket"
        self.client = [sys.executable, "-IS", str(CLIENT), address]
        self.function = {"BASH_FUNC_python%%": FUNCTION.format(client=shlex.join(self.client))}
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(100)
            names = [str(listener.fileno()), str(os.getpid()), *packages]
            self.server = subprocess.Popen(
                [sys.executable, "-BP", __file__, *names],
                pass_fds=[listener.fileno()],
                env=os.environ | {"OMP_NUM_THREADS": "1"},  # who has threads must not fork
            )

    def __enter__(self) -> "Forks":
        return self

    def __exit__(self, *_) -> None:
        self.server.terminate()
        self.server.wait()
        self.folder.cleanup()


def serve(listener: socket.socket, parent: int) -> None:
    """Fork at every call, and tell the caller how the fork ended; end with the parent."""
    listener.settimeout(0.02)  # how often ended forks are looked for
    callers = {}
    while os.getppid() == parent:
        with suppress(TimeoutError):
            caller, _ = listener.accept()
            if not (pid := os.fork()):
                run(caller)
            callers[pid] = caller
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                with callers.pop(ended[0]) as caller, suppress(BrokenPipeError):
                    caller.sendall(b"%d" % os.waitstatus_to_exitcode(ended[1]))


def run(caller: socket.socket) -> None:
    """What `python -m` does, in a fork."""
    _, outputs, *_ = socket.recv_fds(caller, 1, 3)
    with caller, caller.makefile() as file:
        folder, environment, (_, module, *arguments) = json.load(file)
    for here, there in enumerate(outputs):
        os.dup2(there, here)
        os.close(there)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    path = environment.get("PYTHONPATH")
    sys.path[:0] = path.split(os.pathsep) if path else []
    if not environment.get("PYTHONSAFEPATH"):
        sys.path.insert(0, folder)
    if torch := sys.modules.get("torch"):
        from threadpoolctl import threadpool_limits

        threads = int(environment["OMP_NUM_THREADS"])  # packages read it when they are loaded
        torch.set_num_threads(threads)
        threadpool_limits(threads)
    status = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    if isinstance(status, str):
        print(status, file=sys.stderr)
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # to tear the packages down takes a second


if __name__ == "__main__":
    for package in sys.argv[3:]:
        importlib.import_module(package)
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
