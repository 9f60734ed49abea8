"""Have a module run by a fork: `fork_client.py SOCKET -m MODULE ARGUMENTS`, see forks.py."""

import json
import os
import socket
import sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    socket.send_fds(server, [b" "], [0, 1, 2])
    server.sendall(json.dumps([os.getcwd(), dict(os.environ), sys.argv[2:]]).encode())
    server.shutdown(socket.SHUT_WR)
    status = int(server.recv(10) or 1)
sys.exit(status if status >= 0 else 128 - status)  # as a shell tells of signals
