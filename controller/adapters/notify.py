"""Messages on their way: e-mail and webhook, each with a thread and a bounded queue of its own."""

import hashlib
import hmac
import http.client
import json
import logging
import smtplib
import ssl
import threading
import urllib.error
import urllib.request
from collections import deque
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import NamedTuple, Protocol

from controller.notifying import Message

BOUND = 200
MAX_TEXT = 2_000
CLOSE_S = 5.0  # a try under way may take longer; its thread ends with the process
AGAIN = (408, 425, 429)
SIGNATURE = "X-Fabcommons-Signature"
_log = logging.getLogger(__name__)


class NotSent(Exception):
    """A message did not arrive. Attributes: reason, again (worth another try)."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


class Origin(NamedTuple):
    """Who tells: the site's name, and the address of its page."""

    site: str
    url: str


class Carrier(Protocol):
    """A way to a person."""

    def send(self, message: Message) -> None:
        """Deliver one message within its time-out; raise NotSent."""
        ...


class Pace(NamedTuple):
    """Real seconds between tries, doubling from first to most; tries of a message."""

    first_s: float = 2.0
    most_s: float = 300.0
    tries: int = 10


class PostState(NamedTuple):
    """How one place is reached: messages waiting, sent, given up, dropped; the last trouble."""

    name: str
    waiting: int
    sent: int
    failed: int
    dropped: int
    error: str


class _Waiting(NamedTuple):
    message: Message
    tries: int = 0


class Post:
    """Delivers to one place in order, emergencies first; ``put`` never waits.

    While a place cannot be reached the pause between tries doubles; an emergency is tried at once.
    """

    def __init__(self, name: str, carrier: Carrier, pace: Pace | None = None) -> None:
        self.name = name
        self._carrier, self._pace = carrier, pace or Pace()
        self._items: deque[_Waiting] = deque()
        self._ready = threading.Condition()
        self._closing = self._hurry = False
        self._pause_s = 0.0
        self._sent = self._failed = self._dropped = 0
        self._error = ""
        self._thread = threading.Thread(target=self._run, name=f"notify-{name}", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        """Queue a message; when the queue is full the last in line goes, counted."""
        with self._ready:
            if message.emergency:
                self._items.appendleft(_Waiting(message))
                self._hurry = True
            else:
                self._items.append(_Waiting(message))
            if len(self._items) > BOUND:
                self._items.pop()
                self._dropped += 1
            self._ready.notify()

    def count_dropped(self, messages: int) -> None:
        """Count messages that were dropped before they came here."""
        with self._ready:
            self._dropped += messages

    def state(self) -> PostState:
        """How it goes."""
        with self._ready:
            counts = (len(self._items), self._sent, self._failed, self._dropped)
            return PostState(self.name, *counts, self._error)

    def close(self) -> None:
        """Stop; what waits is not sent any more, and counted as dropped."""
        with self._ready:
            self._closing = True
            self._dropped += len(self._items)
            self._items.clear()
            self._ready.notify()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while (item := self._next()) is not None:
            trouble = self._try(item.message)
            with self._ready:
                self._note(item, trouble)

    def _next(self) -> _Waiting | None:
        with self._ready:
            if self._pause_s and not self._hurry:
                self._ready.wait_for(lambda: self._hurry or self._closing, self._pause_s)
            self._ready.wait_for(lambda: self._items or self._closing)
            self._hurry = False
            return None if self._closing else self._items.popleft()

    def _note(self, item: _Waiting, trouble: NotSent | None) -> None:
        if trouble is None:
            self._sent += 1
            self._error, self._pause_s = "", 0.0
            return
        self._error = trouble.reason[:300]
        if trouble.again:
            self._pause_s = min(self._pace.most_s, 2 * self._pause_s or self._pace.first_s)
        if trouble.again and item.tries + 1 < self._pace.tries and not self._closing:
            self._items.appendleft(_Waiting(item.message, item.tries + 1))
            return
        self._failed += 1
        _log.warning("%s: %r was not sent: %s", self.name, item.message.title, self._error)

    def _try(self, message: Message) -> NotSent | None:
        try:
            self._carrier.send(message)
        except NotSent as trouble:
            return trouble
        except Exception as error:  # noqa: BLE001  # top loop: one odd message ends no other
            _log.warning("%s: a message failed", self.name, exc_info=error)
            return NotSent(str(error), again=False)
        return None


class Webhook:
    """POST of a JSON document, signed with HMAC-SHA256 over its bytes when there is a key."""

    def __init__(self, url: str, key: str, origin: Origin, timeout_s: float = 15.0) -> None:
        self._url, self._key, self._origin, self._timeout_s = url, key, origin, timeout_s
        self._opener = urllib.request.build_opener(_NoRedirect())

    def send(self, message: Message) -> None:
        """Deliver one message; raise NotSent."""
        body = json.dumps(webhook_document(message, self._origin), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "fabcommons"}
        if self._key:
            headers[SIGNATURE] = "sha256=" + sign(self._key, body)
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_s):
                return
        except urllib.error.HTTPError as error:
            error.close()
            again = error.code >= 500 or error.code in AGAIN
            raise NotSent(f"answered {error.code} {error.reason}", again=again) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NotSent(f"cannot be reached: {error}", again=True) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed message goes where the settings say and nowhere else."""

    def redirect_request(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # its six arguments are not used
        return None


def sign(key: str, body: bytes) -> str:
    """HMAC-SHA256 of a body in hex, as the receiver computes it too."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def webhook_document(message: Message, origin: Origin) -> dict[str, object]:
    """What a webhook gets; ``id`` is the same when it is sent again, ``text`` is for chats."""
    text = f"{message.title}: {message.text}" if message.text else message.title
    return {
        "id": f"{message.key}@{message.at}",
        "site": origin.site,
        "event": message.event,
        "emergency": message.emergency,
        "title": message.title,
        "text": text[:MAX_TEXT],
        "at": message.at,
        "link": origin.url + message.page,
    }


class MailServer(NamedTuple):
    """Where mail is handed over; ``tls`` None sends in the clear."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    user: str = ""
    password: str = ""
    timeout_s: float = 15.0


class Email:
    """Mail through an SMTP server, over STARTTLS or not at all."""

    def __init__(self, server: MailServer, sender: str, to: list[str], origin: Origin) -> None:
        self._server, self._sender, self._to, self._origin = server, sender, to, origin

    def send(self, message: Message) -> None:
        """Deliver one message; raise NotSent."""
        mail = mail_of(message, self._origin, self._sender, self._to)
        server = self._server
        try:
            with smtplib.SMTP(server.host, server.port, timeout=server.timeout_s) as smtp:
                if server.tls is not None:
                    smtp.starttls(context=server.tls)
                if server.user:
                    smtp.login(server.user, server.password)
                smtp.send_message(mail)
        except smtplib.SMTPResponseException as error:
            again = 400 <= error.smtp_code < 500
            raise NotSent(f"{error.smtp_code} {_words(error.smtp_error)}", again=again) from error
        except (smtplib.SMTPNotSupportedError, smtplib.SMTPRecipientsRefused) as error:
            raise NotSent(str(error), again=False) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"cannot be reached: {error}", again=True) from error


def mail_of(message: Message, origin: Origin, sender: str, to: list[str]) -> EmailMessage:
    """The mail of a message."""
    mail = EmailMessage()
    urgent = "EMERGENCY " if message.emergency else ""
    mail["Subject"] = " ".join(f"[{origin.site}] {urgent}{message.title}".split())[:200]
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    lines = [message.title, message.text[:MAX_TEXT], "", origin.url + message.page]
    mail.set_content("\n".join(lines))
    return mail


def _words(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text
