"""Ports for services that are started, killed and started again."""

import errno
import secrets
import socket

_LOWEST, _MANY = 10_000, 20_000


def free_port() -> int:
    """Nobody listens on it, and below the ephemeral ones, so that no client is given it while no service has it."""
    while True:
        port = _LOWEST + secrets.randbelow(_MANY)
        with socket.socket() as asking:
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            try:
                asking.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
