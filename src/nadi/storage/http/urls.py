"""URLs of servers, without loading what speaks to them."""

from __future__ import annotations

import re

from nadi.exceptions import SettingError


def plain_url(url: str) -> str:
    """Return the URL of a server in its one form: without credentials, query and a slash at the end.

    Raises:
        SettingError: it is no URL of a server.
    """
    from urllib.parse import urlsplit  # 3 ms

    try:
        parts = urlsplit(url.strip())
        scheme, host, port, path = parts.scheme, parts.hostname or "", parts.port, parts.path
    except ValueError:
        scheme, host, port, path = "", "", None, ""
    if scheme not in ("http", "https") or not host:
        shown = url.rpartition("@")[2]
        raise SettingError(
            f"NADI_API_URL is {shown!r}, which is no URL of a Nadi server; expected http://host:4300 or https://host."
        )
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}{f':{port}' if port is not None else ''}{path.rstrip('/')}"


def is_loopback(url: str) -> bool:
    """Whether a URL of a server leads to this machine by its loopback."""
    host, _, _ = plain_url(url).partition("://")[2].partition("/")
    return re.fullmatch(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?", host) is not None
