# Asks this Python's default context about servers: "port name roots" each.
import socket, ssl, sys

for i, question in enumerate(sys.argv[1:]):
    port, name, roots = question.split(" ")
    try:
        context = ssl.create_default_context()
        context = ssl.create_default_context(cafile=roots)
    except ssl.SSLError:
        print(i, "cannot be asked")
        continue
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as s:
            with context.wrap_socket(s, server_hostname=name):
                print(i, "ok")
    except OSError as e:
        print(i, e)
