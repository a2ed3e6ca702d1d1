"""A name server listens on one port for UDP and TCP."""

import socket


def sockets_of_one_port() -> tuple[socket.socket, socket.socket]:
    """UDP and TCP on the same port: one that is free for the first may be taken for the second."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
