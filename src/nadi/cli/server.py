"""`nadi server`: HTTP API, live stream and web page."""

from __future__ import annotations

import click
import msgspec

from nadi.cli.output import say
from nadi.cli.reading import TEXT
from nadi.server.configuration import Configuration
from nadi.server.serving import Ready, serve
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi server --open
  nadi server --port 0 --json
  nadi server --host 0.0.0.0 --certificate cert.pem --certificate-key key.pem
  nadi server --behind-proxy --base-path /nadi --host-name runs.example.com
"""


@click.command(epilog=_EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, type=TEXT, help="Address to listen on.")
@click.option("--port", default=4300, show_default=True, type=click.IntRange(0, 65535), help="0 for any free one.")
@click.option("--base-path", default="", type=TEXT, metavar="PATH", help="Path before every other, such as /nadi.")
@click.option(
    "--host-name",
    "hosts",
    multiple=True,
    type=TEXT,
    metavar="NAME",
    help="A name under which it may be reached; can be given several times.",
)
@click.option("--certificate", default="", type=TEXT, metavar="FILE", help="Certificate for TLS, as PEM.")
@click.option("--certificate-key", default="", type=TEXT, metavar="FILE", help="Its key, when in another file.")
@click.option("--behind-proxy", is_flag=True, help="Believe X-Forwarded-For and X-Forwarded-Proto of a proxy.")
@click.option("--insecure", is_flag=True, help="Start although others can reach it and there are no users, or no TLS.")
@click.option("--services/--no-services", default=True, show_default=True, help="Run reaper, retention, launcher here.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="In place of the setting log_format.")
@click.option("--open", "wants_browser", is_flag=True, help="Open the page in a browser, logged in.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line once it answers.")
def command(wants_browser: bool, as_json: bool, **options: object) -> None:
    """Serve the HTTP API and the web page of what is recorded.

    Shows the runs of this home's store, those made before it was started included, and follows what happens now.
    Ctrl-C ends it; runs go on. Commands on this machine need no login; a browser takes the link that is printed.
    """
    configuration = msgspec.convert(options, Configuration)

    def announce(ready: Ready) -> None:
        _say_ready(ready, as_json=as_json)
        if wants_browser:
            _open(ready.login)

    serve(configuration, read_settings(), on_ready=announce)


def _say_ready(ready: Ready, *, as_json: bool) -> None:
    if ready.warning:
        say(f"Warning: {ready.warning}", err=True)
    if as_json:
        say(msgspec.json.encode(ready).decode())
    else:
        say(f"Nadi serves {ready.url}. Log in with {ready.login} (once, within 5 minutes). Ctrl-C ends it.")


def _open(url: str) -> None:
    # 15 ms to import, and some browsers keep their caller waiting; the server answers meanwhile.
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), name="nadi-browser", daemon=True).start()
