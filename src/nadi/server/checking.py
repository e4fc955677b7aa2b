"""Whether a server may start as it is asked to."""

from __future__ import annotations

import re

from nadi.exceptions import SettingError
from nadi.server.configuration import Configuration
from nadi.storage.contract import Store

_BASE_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_HOST_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}")


def check_options(configuration: Configuration) -> None:
    """Raise for options that cannot be meant.

    Raises:
        SettingError: one of them; the sentence says which.
    """
    if not _BASE_PATH.fullmatch(configuration.base_path) or "/." in configuration.base_path:
        raise SettingError(
            f"--base-path {configuration.base_path!r} cannot be used; expected a path such as /nadi, without a slash"
            " at its end."
        )
    for name in configuration.hosts:
        if not _HOST_NAME.fullmatch(name):
            raise SettingError(f"--host-name {name!r} is no name of a host; give it without scheme and port.")
    if configuration.certificate_key and not configuration.certificate:
        raise SettingError("--certificate-key is the key of a certificate; give that with --certificate.")


def check_reach(configuration: Configuration, store: Store) -> str:
    """Raise when others than this machine could reach a server that is not ready for that.

    Returns:
        A warning where `--insecure` lets it start all the same; "" otherwise.

    Raises:
        SettingError: it has no users, or speaks without TLS.
        StoreUnavailable: the store could not be asked for its users.
    """
    if configuration.is_loopback:
        return ""
    missing = []
    if not any(not user.disabled for user in store.access.users()):
        missing.append("there are no users (`nadi users add`)")
    if not configuration.certificate and not configuration.behind_proxy:
        missing.append("passwords and keys would cross the network as plain text (--certificate, or --behind-proxy)")
    if not missing:
        return ""
    told = f"Other machines can reach a server on {configuration.host}, but {' and '.join(missing)}."
    if not configuration.insecure:
        raise SettingError(f"{told} Start it on 127.0.0.1, or with --insecure if you mean it.")
    return f"{told} --insecure lets it start; access control stays on."
