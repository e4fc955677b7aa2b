"""The way to a server: connections that are kept, and one sentence where something stands in the way."""

from __future__ import annotations

import io
import os
from collections.abc import Container, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec
import urllib3

from nadi import exceptions
from nadi._version import __version__
from nadi.exceptions import NadiError, SettingError, StoreReadOnly, StoreUnavailable
from nadi.storage.http.urls import is_loopback, plain_url

#: Seconds to wait for a connection, and for the next bytes of an answer.
CONNECT, READ = 5.0, 30.0
#: Connections that are kept for the next question; beyond that many at once, each is closed after use.
KEPT = 64
#: Bytes of a body that are sent at once: the time that a connection allows is for each of these.
CHUNK = 64 << 10

MSGPACK = "application/msgpack"


class Answer(NamedTuple):
    """What a server answered, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Problem(msgspec.Struct, frozen=True):
    """An error as it travels (RFC 9457), as far as a client needs it."""

    detail: str = ""
    title: str = ""
    #: Name of the class of ours, and its plain attributes; "" for an error that is none of ours.
    error: str = ""
    fields: dict[str, Any] = {}


class Client:
    """Speaks to one server. Thread-safe; loads nothing that is not needed and connects when first asked.

    A process that was forked opens connections of its own: those of the process before it are never used in it.
    """

    def __init__(self, url: str, key: str, *, connect: float = CONNECT, read: float = READ) -> None:
        """Prepare to speak to the server at `url`, as whoever has this API key; "" for nobody.

        Args:
            url: Where it is; a path is the server's base path.
            key: An API key, or the token of this machine.
            connect: Seconds to wait for a connection.
            read: Seconds of silence after which an answer is given up.

        Raises:
            SettingError: the URL is none of a server, or the key is none.
        """
        self.url = plain_url(url)
        if not key.isascii() or not key.isprintable():
            raise SettingError("NADI_API_KEY holds characters that no key has; copy the key again, without line ends.")
        self._headers = {"User-Agent": f"nadi/{__version__}", "Accept": MSGPACK}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        if not is_loopback(self.url):  # on this machine compressing costs more than it saves
            self._headers["Accept-Encoding"] = "gzip"
        self._timeout = urllib3.Timeout(connect=connect, read=read)
        self._pool = self._make_pool()
        self._process = os.getpid()
        self._closed = False

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | memoryview | None = None,
        content_type: str = MSGPACK,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        again: bool = True,
        also: Container[int] = (),
    ) -> Answer:
        """Ask, and return a good answer.

        Args:
            method: Of HTTP.
            path: Below the base path, such as `/api/store`.
            body: What is sent.
            content_type: What that is.
            headers: More of them.
            query: Parameters of the query.
            again: Whether asking twice does no harm: then a connection that breaks is no reason to give up at once.
            also: Statuses that are good answers too.

        Raises:
            StoreUnavailable: there was no answer, or the server is not able to give one, or the key is not taken.
            StoreReadOnly: the key does not allow it.
            NadiError: what the server says went wrong, as itself.
        """
        if self._closed:
            raise StoreUnavailable(f"The connection to the Nadi server {self.url} was closed. Open the store again.")
        whole = self.url + quote(path, safe="/") + (f"?{_encoded(query)}" if query else "")
        sent = {**self._headers, **(headers or {})}
        if body is not None:
            sent |= {"Content-Type": content_type, "Content-Length": str(len(body))}
        for left in (1, 0) if again else (0,):
            try:
                answer = self._ask(method, whole, body, sent)
            except urllib3.exceptions.HTTPError as error:
                if left and _broke(error):
                    continue
                raise self._unreachable(error, again=again) from error
            if 200 <= answer.status < 300 or answer.status in also:
                return answer
            raise self._refused(answer)
        raise AssertionError

    def _ask(self, method: str, url: str, body: bytes | memoryview | None, headers: Mapping[str, str]) -> Answer:
        if self._process != os.getpid():
            self._pool, self._process = self._make_pool(), os.getpid()
        answer = self._pool.request(
            method,
            url,
            # In pieces: the time allowed for a connection is for all that is sent at once, and lines may be slow.
            body=io.BytesIO(body) if body is not None else None,
            headers=dict(headers),
            timeout=self._timeout,
            retries=False,
            redirect=False,
        )
        return Answer(answer.status, answer.headers, answer.data)

    def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        if self._process == os.getpid():
            self._pool.clear()

    # -- what goes wrong --

    def _unreachable(self, error: Exception, *, again: bool) -> StoreUnavailable:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, urllib3.exceptions.SSLError):
            untrusted = getattr(_innermost(reason), "verify_message", "")
            if untrusted:
                return StoreUnavailable(
                    f"The certificate of the Nadi server {self.url} is not trusted: {untrusted.rstrip('.')}."
                    " Set SSL_CERT_FILE to the file of the authority that signed it, or NADI_API_URL to a name that"
                    " it is for."
                )
            return StoreUnavailable(
                f"What answers at {self.url} does not speak TLS as expected: {_last_part(reason)}. Check NADI_API_URL:"
                " does it begin with http:// there?"
            )
        if isinstance(reason, urllib3.exceptions.NameResolutionError):
            told = "there is no such host"
        elif isinstance(reason, urllib3.exceptions.NewConnectionError):
            told = _last_part(reason)
        elif isinstance(reason, urllib3.exceptions.ConnectTimeoutError):
            told = f"nobody answered within {self._timeout.connect_timeout:g} seconds"
        elif isinstance(reason, urllib3.exceptions.ReadTimeoutError):
            told = f"no answer within {self._timeout.read_timeout:g} seconds"
        else:
            told = f"the connection broke: {_last_part(reason)}"
        doubt = "" if again or _never_sent(reason) else " It is not known whether the server has done it."
        return StoreUnavailable(
            f"The Nadi server {self.url} cannot be reached: {told}. Check NADI_API_URL, and that the server runs."
            + doubt
        )

    def _refused(self, answer: Answer) -> NadiError:
        problem = _problem(answer)
        told = problem.detail or problem.title or f"HTTP status {answer.status}"
        if answer.status == 401:
            what = "does not take the API key" if "Authorization" in self._headers else "wants an API key"
            return StoreUnavailable(
                f"The Nadi server {self.url} {what}. Set NADI_API_KEY to a key that is valid there"
                " (`nadi keys add` on the server makes one)."
            )
        if answer.status == 403:
            return StoreReadOnly(f"The Nadi server {self.url} does not allow that with this API key: {told}")
        kind = getattr(exceptions, problem.error, None)
        if isinstance(kind, type) and issubclass(kind, NadiError):
            return rebuilt(kind, told, problem.fields)
        if 300 <= answer.status < 400:
            where = answer.headers.get("Location", "somewhere else")
            return StoreUnavailable(f"{self.url} leads on to {where}. Set NADI_API_URL to where the server really is.")
        if answer.status in (502, 503, 504) and not _is_problem(answer):
            return StoreUnavailable(
                f"The Nadi server {self.url} is away: a proxy before it answered with HTTP status {answer.status}."
            )
        if answer.status == 413 and not _is_problem(answer):
            return StoreUnavailable(
                f"A proxy before the Nadi server {self.url} refuses a body of this size (HTTP status 413). Let it"
                " take what the server takes: 16 MiB, and 64 MiB for results."
            )
        if answer.status in (404, 405) or not _is_problem(answer):
            return StoreUnavailable(
                f"{self.url} does not answer as this version of Nadi ({__version__}) expects (HTTP status"
                f" {answer.status}). Check NADI_API_URL; if it is right, upgrade the server."
            )
        return StoreUnavailable(f"The Nadi server {self.url} could not do what was asked: {told}")

    # -- connections --

    def _make_pool(self) -> urllib3.PoolManager:
        proxy = _proxy(self.url)
        arguments: dict[str, Any] = {"num_pools": 1, "maxsize": KEPT, "blocksize": CHUNK}
        if self.url.startswith("https:") or proxy.startswith("https:"):
            import ssl  # 10 ms, for encrypted connections only

            arguments["ssl_context"] = ssl.create_default_context()
        return urllib3.ProxyManager(proxy, **arguments) if proxy else urllib3.PoolManager(**arguments)


def rebuilt(kind: type[NadiError], told: str, fields: Mapping[str, Any]) -> NadiError:
    """Return an error that another process raised, with its sentence and its attributes, without calling its class."""
    error = kind.__new__(kind)
    error.args = (told,)
    error.__dict__.update(fields)
    return error


def _encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())


def _proxy(url: str) -> str:
    """Return the proxy that the environment names for a server that is not on this machine; "" for none."""
    names = ("http_proxy", "https_proxy", "all_proxy")
    if is_loopback(url) or not any(os.environ.get(name) or os.environ.get(name.upper()) for name in names):
        return ""
    import urllib.request  # 15 ms, and hardly ever needed

    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc):
        return ""
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all", "")
    return found if not found or "://" in found else f"http://{found}"


def _is_problem(answer: Answer) -> bool:
    return answer.headers.get("Content-Type", "").startswith("application/problem+json")


def _problem(answer: Answer) -> Problem:
    if not _is_problem(answer):
        return Problem()
    try:
        return msgspec.json.decode(answer.body, type=Problem)
    except msgspec.DecodeError:
        return Problem()


def _broke(error: Exception) -> bool:
    """Whether a connection broke that had been made: another one may do better at once."""
    reason = getattr(error, "reason", None) or error
    return isinstance(reason, urllib3.exceptions.ProtocolError)


def _never_sent(reason: Exception) -> bool:
    return isinstance(reason, urllib3.exceptions.ConnectTimeoutError)  # a NewConnectionError is one too


def _last_part(error: Exception) -> str:
    """Return what an error says at its core, in a few words."""
    inner = _innermost(error)
    if isinstance(inner, OSError) and isinstance(getattr(inner, "reason", None), str):  # of TLS
        return str(getattr(inner, "reason", "")).replace("_", " ").lower()
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror[0].lower() + inner.strerror[1:]
    return str(inner).rpartition(": ")[2].strip("()'\" ") or type(inner).__name__


def _innermost(error: BaseException) -> BaseException:
    """Return the error that led to another one, by whatever way that tells."""
    while True:
        inner = error.__cause__ or next((one for one in reversed(error.args) if isinstance(one, BaseException)), None)
        if inner is None:
            return error
        error = inner
