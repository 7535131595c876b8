#!/usr/bin/python3 -I
"""A stand-in for conda. This is not conda.

It does what conda does about TLS, and nothing else: it reads every condarc
layer and environment variable in conda's order, makes of ssl_verify what conda
makes of it, and asks a channel through the real requests library. The
laboratory uses it where conda itself cannot be had.

  conda config --show-sources       every layer and what it says
  conda config --show ssl_verify    the effective value
  conda search NAME [-c CHANNEL]    fetch each channel's index, and the package
"""
import glob, hashlib, json, os, re, sys

import requests
import urllib3
from ruamel.yaml import YAML, YAMLError

BASE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUNDLE = glob.glob(BASE + "/lib/python3*/site-packages/certifi/cacert.pem")[0]
KEYS = {"ssl_verify": "ssl_verify", "verify_ssl": "ssl_verify", "channels": "channels", "channel_alias": "channel_alias",
        "default_channels": "default_channels", "proxy_servers": "proxy_servers"}
YES, NO = {"true", "yes", "on", "y"}, {"false", "no", "off", "n", "none", "null", "~", "non", ""}


def boolean(value):
    """A setting's truth value; text that has none stays as it is."""
    if value is None or isinstance(value, (bool, int, float)):
        return bool(value)
    word = str(value).strip().lower()
    if word in YES or word in NO:
        return word in YES
    try:
        return bool(float(word))
    except ValueError:
        return os.path.expandvars(str(value))


def layers():
    """Configuration files, lowest precedence first, each once."""
    home, seen = os.path.expanduser("~"), []
    folders = ["/etc/conda", "/var/lib/conda", os.environ.get("CONDA_ROOT", BASE)]
    if "XDG_CONFIG_HOME" in os.environ:
        folders.append(os.environ["XDG_CONFIG_HOME"] + "/conda")
    folders += [home + "/.config/conda", home + "/.conda"]
    paths = [f + n for f in folders for n in ("/.condarc", "/condarc", "/condarc.d")] + [home + "/.condarc"]
    paths += [os.environ.get("CONDA_PREFIX", BASE) + n for n in ("/.condarc", "/condarc", "/condarc.d")]
    paths += [os.environ["CONDARC"]] if "CONDARC" in os.environ else []
    for path in paths:
        files = sorted(glob.glob(path + "/*.yml") + glob.glob(path + "/*.yaml")) if os.path.isdir(path) else [path]
        for f in files:
            if os.path.isfile(f) and f not in seen and re.search(r"(^|/)\.?condarc$|\.ya?ml$", f):
                seen.append(f)
    return seen


def read(path):
    """{key: (value, final)} of one file."""
    with open(path, encoding="utf-8-sig") as f:
        text = f.read()
    try:
        data = YAML().load(text) or {}
    except YAMLError as e:
        if type(e).__name__ == "ScannerError":
            print("Ignoring configuration file (%s) due to error" % path, file=sys.stderr)
            return {}
        sys.exit("%s: %s" % (type(e).__name__, e))
    final = lambda k: bool(re.search(r"^%s\s*:.*#!?final\s*$" % re.escape(k), text, re.M))
    return {KEYS[k]: (v, final(k)) for k, v in data.items() if k in KEYS}


def sources():
    out = [(p, read(p)) for p in layers()]
    env = {KEYS[k]: (os.environ["CONDA_" + k.upper()], False) for k in KEYS if "CONDA_" + k.upper() in os.environ}
    return out + ([("envvars", env)] if env else [])


def effective(key, default):
    words = [s[key] for _, s in sources() if key in s]
    finals = [w for w in words if w[1]]
    return (finals[0] if finals else words[-1])[0] if words else default


def ssl_verify():
    v = boolean(effective("ssl_verify", True))
    if isinstance(v, str) and v != "truststore" and not os.path.exists(v):
        sys.exit("CustomValidationError: Parameter ssl_verify = %r declared in <<merged>> is invalid." % v)
    return "/etc/ssl/certs/ca-certificates.crt" if v == "truststore" else v


def channels(args):
    if args:
        return args
    alias = effective("channel_alias", "https://conda.anaconda.org")
    out = []
    for _, s in reversed(sources()):
        out += [c for c in (s.get("channels", ([],))[0] or []) if c not in out]
    for c in out or ["defaults"]:
        if c == "defaults":
            yield from effective("default_channels", ["https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"])
        else:
            yield c if "://" in c else alias.rstrip("/") + "/" + c


def use_bundle():
    """Put the installation's certifi in the place of Debian's."""
    requests.adapters.DEFAULT_CA_BUNDLE_PATH = BUNDLE
    if hasattr(requests.adapters, "_preloaded_ssl_context"):  # requests 2.32 made it at import
        context = urllib3.util.ssl_.create_urllib3_context()
        context.load_verify_locations(BUNDLE)
        requests.adapters._preloaded_ssl_context = context


def search(name, args):
    use_bundle()
    session, found = requests.Session(), 0
    session.verify = ssl_verify()
    session.proxies.update(effective("proxy_servers", {}))
    for channel in channels(args):
        try:
            index = session.get(channel + "/noarch/repodata.json", timeout=9).json()
            for file, p in index["packages.conda"].items():
                if p["name"] == name:
                    body = session.get(channel + "/noarch/" + file, timeout=9).content
                    assert hashlib.sha256(body).hexdigest() == p["sha256"]
                    print(p["name"], p["version"], p["build"], channel)
                    found += 1
        except requests.exceptions.SSLError as e:
            sys.exit("CondaSSLError: Encountered an SSL error. Most likely a certificate verification issue.\n\nException: %s" % e)
        except requests.exceptions.ProxyError as e:
            sys.exit("ProxyError: %s" % e)
        except requests.exceptions.ConnectionError as e:
            sys.exit("CondaHTTPError: HTTP 000 CONNECTION FAILED for url <%s>\n%s" % (channel, e))
    return 0 if found else 1


def main(argv):
    if argv[:2] == ["config", "--show-sources"]:
        for path, words in sources():
            print("==> %s <==" % path)
            for k, (v, final) in words.items():
                print("%s: %s%s" % (k, json.dumps(v, default=str), "  #!final" if final else ""))
    elif argv[:2] == ["config", "--show"]:
        print("ssl_verify: %s" % ssl_verify())
    elif argv[:1] == ["search"]:
        return search(argv[1], [argv[i + 1] for i, a in enumerate(argv) if a == "-c"])
    else:
        sys.exit("this stand-in knows: config --show-sources, config --show ssl_verify, search NAME [-c CHANNEL]")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
