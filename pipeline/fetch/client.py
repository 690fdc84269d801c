"""Ask servers politely and patiently; every failure ends in one message that names the host."""

import email.utils
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests import exceptions
from urllib3.exceptions import HTTPError, ReadTimeoutError

from pipeline.problem import Problem
from pipeline.settings.fetch import HttpRule

_T = TypeVar("_T")
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_PIECE_BYTES = 1 << 13  # what may be lost of a half-file


class Fault(Exception):
    """One try failed.

    Parameters
    ----------
    found
        What went wrong, in words.
    is_passing
        Whether another try may succeed.
    retry_after_s
        How long the server asks to wait.
    """

    def __init__(
        self, found: str, *, is_passing: bool = True, retry_after_s: float | None = None
    ) -> None:
        super().__init__(found)
        self.found = found
        self.is_passing = is_passing
        self.retry_after_s = retry_after_s


class NotThere(Exception):
    """The server says that it does not have the file (404)."""


@dataclass(frozen=True)
class Reply:
    """A whole answer, and the day on which the server says it was sent (empty if it does not)."""

    content: bytes
    date: str


@dataclass
class Client:
    """Asks one question after the other, with a pause between two to the same host."""

    rule: HttpRule
    tell: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _session: requests.Session = field(default_factory=requests.Session)
    _last_asked: dict[str, float] = field(default_factory=dict)

    def reply(
        self,
        what: str,
        url: str,
        check: Callable[[bytes], None],
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return a whole answer that passes the check; a ``Fault`` raised by it means: try again.

        Raises
        ------
        Problem
            After the last try, or at once where another would not help.
        NotThere
            If the server does not have it.
        """

        def attempt() -> Reply:
            with self.ask(url, params=params, data=data, headers=headers) as answer:
                refuse_bad_status(answer)
                content = b"".join(self.pieces(answer))
                check(content)
                return Reply(content, http_date(answer.headers.get("Date")))

        return self.tried(what, url, attempt)

    def tried(self, what: str, url: str, attempt: Callable[[], _T]) -> _T:
        """Return what an attempt yields, trying again after growing waits."""
        wait_s = self.rule.first_wait_s
        for number in range(1, self.rule.try_count + 1):
            try:
                return attempt()
            except Fault as fault:
                pause_s = wait_s if fault.retry_after_s is None else fault.retry_after_s
                if not fault.is_passing or number == self.rule.try_count:
                    raise self._problem(what, url, fault.found, number) from None
                if pause_s > self.rule.max_wait_s:
                    found = f"{fault.found}; the server asks to wait {pause_s:.0f} s"
                    raise self._problem(what, url, found, number) from None
                self.tell(
                    f"  {host_of(url)}: {fault.found}; 稍后重试 again in {pause_s:.0f} s "
                    f"({number + 1}/{self.rule.try_count})"
                )
                self.sleep(pause_s)
                wait_s = min(wait_s * 2, self.rule.max_wait_s)
        raise AssertionError("try_count is at least 1")

    def ask(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return an answer whose body is still to be read.

        Raises
        ------
        Fault
            If the server cannot be reached or does not answer in time.
        """
        self._pause(host_of(url))
        try:
            return self._session.request(
                "GET" if data is None else "POST",
                url,
                params=params,
                data=data,
                headers={"User-Agent": self.rule.user_agent, **(headers or {})},
                timeout=(self.rule.connect_timeout_s, self.rule.read_timeout_s),
                stream=True,
            )
        except exceptions.ConnectTimeout:
            raise Fault(f"no connection within {self.rule.connect_timeout_s:g} s") from None
        except exceptions.Timeout:
            raise Fault(f"no answer within {self.rule.read_timeout_s:g} s") from None
        except exceptions.TooManyRedirects:
            raise Fault("it sends us in circles (redirects)", is_passing=False) from None
        except exceptions.ConnectionError as error:
            raise Fault(_connection_fault(error)) from None
        except (exceptions.RequestException, HTTPError, UnicodeError) as error:
            raise Fault(f"cannot be asked ({_first_line(error)})", is_passing=False) from None

    def pieces(self, answer: requests.Response) -> Any:
        """Yield the body in pieces as they come.

        Raises
        ------
        Fault
            If it is cut short, too long, or takes too long.
        """
        begin, length = self.clock(), 0
        while True:
            try:
                # what has come so far: waiting for a full piece would hide a server that only drips
                piece = answer.raw.read1(_PIECE_BYTES, decode_content=True)
            except (ReadTimeoutError, TimeoutError):
                found = (
                    f"the answer stops for {self.rule.read_timeout_s:g} s after {length:,} bytes"
                )
                raise Fault(found) from None
            except (exceptions.RequestException, HTTPError, OSError):
                raise Fault(f"the answer breaks off after {length:,} bytes") from None
            if not piece:
                return
            length += len(piece)
            if length > self.rule.max_file_bytes:
                raise Fault(
                    f"the answer is longer than {self.rule.max_file_bytes:,} bytes",
                    is_passing=False,
                )
            if self.clock() - begin > self.rule.total_timeout_s:
                raise Fault(f"the answer took longer than {self.rule.total_timeout_s:g} s")
            yield piece

    def _pause(self, host: str) -> None:
        if host in self._last_asked:
            left_s = self._last_asked[host] + self.rule.pause_s - self.clock()
            if left_s > 0:
                self.sleep(left_s)
        self._last_asked[host] = self.clock()

    def _problem(self, what: str, url: str, found: str, tries: int) -> Problem:
        times = "once" if tries == 1 else f"{tries} times"
        return Problem(
            f"{what} from {host_of(url)}",
            f"{found} (asked {times})",
            fix="run the same command again later, what is done is kept; or check the network, or "
            "name another server in config/fetch.yaml",
        )


def refuse_bad_status(answer: requests.Response) -> None:
    """Stop unless the status says success.

    Raises
    ------
    Fault
        With the wait that the server asks for.
    NotThere
        At 404 and 410.
    """
    status = answer.status_code
    if status in (404, 410):
        raise NotThere
    if status in _BUSY:
        words = {429: "too many requests", 504: "the server is too busy", 503: "not available now"}
        raise Fault(
            f"it answers {status} ({words.get(status, answer.reason or 'server error')})",
            retry_after_s=retry_after_s(answer.headers),
        )
    if not 200 <= status < 300:
        reason = f"it answers {status} ({answer.reason or 'refused'})"
        raise Fault(reason, is_passing=False)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header, which may be a number or a date; None if absent."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    until = _moment(text)
    now = _moment(headers.get("Date", ""))
    if until is None:
        return None
    return max(0.0, until - (time.time() if now is None else now))


def http_date(text: str | None) -> str:
    """Return the day YYYY-MM-DD of an HTTP date, empty if it is none."""
    parsed = _parsed(text or "")
    return "" if parsed is None else parsed.strftime("%Y-%m-%d")


def host_of(url: str) -> str:
    """Return the host (and port) of an address."""
    return urlsplit(url).netloc.rsplit("@", 1)[-1]


def _parsed(text: str) -> Any:
    try:
        return email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _moment(text: str) -> float | None:
    parsed = _parsed(text)
    try:
        return None if parsed is None else float(parsed.timestamp())
    except (ValueError, OverflowError):
        return None


def _connection_fault(error: Exception) -> str:
    text = str(error)
    if "NameResolution" in text or "getaddrinfo" in text:
        return "the name is not known: is the machine online?"
    if "refused" in text:
        return "the connection is refused"
    if "reset" in text or "aborted" in text or "closed" in text:
        return "the connection was broken off"
    return f"no connection ({_first_line(error)})"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
