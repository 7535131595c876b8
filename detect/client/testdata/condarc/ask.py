"""Answers what the conda that this Python imports makes of configurations.

Reads a list of {"root": DIR, "env": {NAME: VALUE}} as JSON and writes a list of
answers, a process for each. The only thing that is not as in real life: conda
looks for the machine's own directories (/etc/conda) below DIR.
"""
import contextlib
import io
import json
import os
import sys


# Before the processes part, so that it is done once. Each gives conda its
# configuration anew, as conda's own main does.
from conda.base import context as base
from conda.cli import conda_argparse, main_config  # noqa: F401
from conda.cli.main import main as conda
from conda.gateways.connection.session import CondaSession
from conda.models.channel import Channel


def said(*argv):
    """What "conda ARGV --json" prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        conda(*argv, "--json")
    return json.loads(out.getvalue())


def configured():
    answer, sources = {}, said("config", "--show-sources")
    if "exception_name" not in sources:  # it refuses "$HOME/ca.pem", which conda itself expands
        answer["sources"] = sources
    shown = said("config", "--show", "ssl_verify", "client_ssl_cert", "client_ssl_cert_key", "proxy_servers")
    if "exception_name" in shown:
        return {**answer, "error": shown["exception_name"]}
    answer.update(shown)

    answer["urls"] = [u.removesuffix("/noarch") for c in base.context.channels for u in Channel(c).urls(subdirs=("noarch",))]
    # What a request is verified with in the end, requests' variables included.
    answer["verify"] = CondaSession().merge_environment_settings("https://host.example/", {}, None, None, None)["verify"]
    return answer


def main():
    answers = []
    for case in json.load(sys.stdin):
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.environ.clear()
            os.environ.update(case["env"])
            os.chdir(case["root"])
            base.SEARCH_PATH = tuple(case["root"] + p if p.startswith("/") else p for p in base.SEARCH_PATH)
            try:
                answer = configured()
            except Exception as e:
                answer = {"error": type(e).__name__}
            os.write(writing, json.dumps(answer).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as f:
            answers.append(json.load(f))
        os.wait()
    json.dump(answers, sys.stdout)


main()
