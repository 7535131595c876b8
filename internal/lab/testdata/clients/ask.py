# Asks a Python library about servers: "ask.py LIBRARY QUESTION...", a question
# is "port name roots". Runs on 2.7 and on every 3.
import os, socket, ssl, sys, tempfile

library, questions = sys.argv[1], sys.argv[2:]


def by_ssl(url, name, port, roots):
    context = ssl.create_default_context(cafile=roots)
    s = context.wrap_socket(socket.create_connection((name, port), timeout=10), server_hostname=name)
    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
    s.recv(1)
    s.close()


def by_requests(url, name, port, roots):
    requests.get(url, verify=roots, timeout=10)


def by_urllib3(url, name, port, roots):
    pool = urllib3.PoolManager(ca_certs=roots, cert_reqs="CERT_REQUIRED", retries=False, timeout=10)
    pool.request("GET", url)


def by_httpx(url, name, port, roots):
    httpx.get(url, verify=roots, timeout=10)


def by_pip(url, name, port, roots):
    # pip itself, in a process of its own for every server: it keeps a context
    # and adds to it. What it prints becomes the words.
    said = tempfile.TemporaryFile()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        for fd in 1, 2:
            os.dup2(said.fileno(), fd)
        try:
            pip_main(["--isolated", "--disable-pip-version-check", "download", "--no-cache-dir", "--no-deps", "--retries", "0", "--timeout", "10",
                      "-d", tempfile.gettempdir(), "--cert", roots, "--index-url", url + "simple/", "labpkg"])
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.waitpid(child, 0)
    said.seek(0)
    text = said.read().decode("utf-8", "replace")
    if "ssl" in text.lower():
        raise OSError(text)


version = lambda module: getattr(module, "__version__", "")
facts = {"python": sys.version.split()[0], "openssl": ssl.OPENSSL_VERSION.split()[1]}
if library == "requests":
    import requests, urllib3
    facts.update(version=version(requests), urllib3=version(urllib3))
elif library == "urllib3":
    import urllib3
    facts["version"] = version(urllib3)
elif library == "httpx":
    import warnings, httpx
    warnings.simplefilter("ignore")
    facts["version"] = version(httpx)
elif library == "pip":
    import pip
    try:
        from pip._internal.cli.main import main as pip_main
    except ImportError:
        from pip._internal import main as pip_main
    for module in "_internal.commands.download", "_internal.resolution.resolvelib.resolver", "_vendor.requests", "_vendor.truststore", "_vendor.rich.progress":
        try:
            __import__("pip." + module) # once for all children
        except ImportError:
            pass
    facts["version"] = version(pip)
print("# " + " ".join("=".join(f) for f in sorted(facts.items())))

for i, question in enumerate(questions):
    port, name, roots = question.split(" ")
    url = "https://%s:%s/" % (name, port)
    if not os.path.getsize(roots):
        print("%d cannot be asked" % i)
        continue
    try:
        globals()["by_" + library](url, name, int(port), roots)
        words = "ok"
    except Exception as e:
        words = " ".join(str(e).split()) or repr(e)
    if sys.version_info[0] == 2 and not isinstance(words, str):
        words = words.encode("utf-8")
    print("%d %s" % (i, words))
    sys.stdout.flush()
