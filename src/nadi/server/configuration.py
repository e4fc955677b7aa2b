"""How a server was asked to run."""

from __future__ import annotations

import ipaddress

import msgspec


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `nadi server`."""

    host: str = "127.0.0.1"
    #: 0 for any free one.
    port: int = 4300
    #: Path before every other, for a server behind a proxy: "" or "/nadi".
    base_path: str = ""
    #: Names under which it may be reached, beside the address that it listens on.
    hosts: tuple[str, ...] = ()
    #: Files of a certificate and its key; "" for plain HTTP.
    certificate: str = ""
    certificate_key: str = ""
    #: Whether it may listen beyond this machine although there are no users, or no TLS.
    insecure: bool = False
    #: Whether a proxy before it speaks TLS and tells the client's address (`X-Forwarded-For`, `X-Forwarded-Proto`).
    behind_proxy: bool = False
    #: Whether the reaper, retention and the launcher run here.
    services: bool = True
    #: "text" or "json"; `None` for what the settings say.
    log_format: str | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # a name; any other than this one may lead anywhere
            return self.host.lower() == "localhost"
