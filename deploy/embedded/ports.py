"""Finds ports on the loopback interface."""

import socket

LOOPBACK = "127.0.0.1"


def choose_port(preferred: int) -> int:
    """`preferred` if it is free, else one that the system picks."""
    return preferred if is_free(preferred) else find_free_port()


def is_free(port: int) -> bool:
    # Somebody may listen on all interfaces while 127.0.0.1 can still be bound (SO_REUSEADDR, macOS): ask both ways.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        if probe.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def find_free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
