import socket

from deploy.embedded.ports import LOOPBACK, choose_port, find_free_port, is_free


def test_port_that_nobody_uses_is_chosen():
    port = find_free_port()

    assert choose_port(port) == port


def test_port_in_use_on_loopback_is_replaced_by_a_free_one():
    with socket.create_server((LOOPBACK, 0)) as server:
        taken = server.getsockname()[1]

        chosen = choose_port(taken)

        assert chosen != taken
        assert is_free(chosen)


def test_port_in_use_on_all_interfaces_is_not_free():
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - that is the case
        assert not is_free(server.getsockname()[1])
