"""Messages on their way: a real SMTP server over STARTTLS, a real HTTP server, and servers down."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult

from controller.adapters import notify
from controller.adapters.notify import MailServer, NotSent, Origin, Pace, Post, Webhook, sign
from controller.adapters.site_file import SiteFile
from controller.notify_settings import NotifyEntry
from controller.notifying import Message
from fabcommons.client import CliError
from fabcommons.notify import Notifier, open_places
from support.waiting import until

LIMIT_S = 60.0
ORIGIN = Origin("lab", "http://127.0.0.1:8010")
FAST = Pace(first_s=0.01, most_s=0.02, tries=5)
FAULT = Message(
    "fault:m-1", "needs-a-human", "m-1 has a fault", "limit é", 7, True, "/machines/m-1"
)
DONE = Message("done:n-1", "done", "a clamp\nis done")


# mail ------------------------------------------------------------------------------------------
class Mailbox:
    """Takes mail; ``refuse`` answers with a line instead."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuse: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse.pop(0)
        self.mails.append((envelope.rcpt_tos, session.ssl is not None, envelope.content))
        return "250 taken"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "mail.pem", folder / "mail.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return certificate, private


class Mail:
    """A mail server that asks for STARTTLS and a login."""

    def __init__(self, folder: Path) -> None:
        self.box = Mailbox()
        self.certificate, private = make_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, private)

        def check(_server: Any, _session: Any, _envelope: Any, _kind: Any, login: Any) -> Any:
            known = (login.login, login.password) == (b"floor", b"pass word")
            return AuthResult(success=known, handled=known)

        self._loop = asyncio.new_event_loop()
        self._controller = UnthreadedController(
            self.box,
            hostname="127.0.0.1",
            port=0,
            loop=self._loop,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=check,
        )
        self._controller.begin()
        assert self._controller.server is not None
        self.port = self._controller.server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def server(self, **fields: Any) -> MailServer:
        trust = ssl.create_default_context(cafile=self.certificate)
        made = MailServer("127.0.0.1", self.port, trust, "floor", "pass word")
        return made._replace(**fields)

    def email(self, **fields: Any) -> notify.Email:
        return notify.Email(self.server(**fields), "floor@x.org", ["a@x.org", "b@x.org"], ORIGIN)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._controller.finalize(), self._loop).result(LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    made = Mail(tmp_path)
    yield made
    made.close()


def test_mail_goes_over_starttls_with_a_login(mail: Mail) -> None:
    mail.email().send(FAULT)
    mail.email().send(DONE)
    (to, secure, content), (_, _, second) = mail.box.mails
    assert (to, secure) == (["a@x.org", "b@x.org"], True)
    found = message_from_bytes(content, policy=policy.default)
    assert found["Subject"] == "[lab] EMERGENCY m-1 has a fault"
    assert found["Auto-Submitted"] == "auto-generated"
    text = found.get_content()
    assert "limit é" in text and "http://127.0.0.1:8010/machines/m-1" in text
    # a title with a line end can neither end the header nor begin another
    again = message_from_bytes(second, policy=policy.default)
    assert again["Subject"] == "[lab] a clamp is done"


def test_nothing_goes_to_a_server_that_is_not_trusted(mail: Mail) -> None:
    with pytest.raises(NotSent, match="certificate"):
        mail.email(tls=ssl.create_default_context()).send(FAULT)
    assert mail.box.mails == []


def test_a_wrong_password_is_not_tried_again(mail: Mail) -> None:
    with pytest.raises(NotSent) as raised:
        mail.email(password="wrong").send(FAULT)
    assert not raised.value.again
    assert "wrong" not in raised.value.reason


@pytest.mark.parametrize(("answer", "again"), [("451 later", True), ("554 never", False)])
def test_what_the_mail_server_says_decides(mail: Mail, answer: str, again: bool) -> None:
    mail.box.refuse = [answer]
    with pytest.raises(NotSent) as raised:
        mail.email().send(FAULT)
    assert (raised.value.reason, raised.value.again) == (answer, again)


def test_mail_is_tried_again_and_arrives_once(mail: Mail) -> None:
    mail.box.refuse = ["451 later", "421 later"]
    post = Post("email-0", mail.email(), FAST)
    post.put(DONE)
    until(lambda: post.state().sent == 1, LIMIT_S)
    post.close()
    assert len(mail.box.mails) == 1
    assert post.state()[1:] == (0, 1, 0, 0, "")


# webhook ---------------------------------------------------------------------------------------
class Hook:
    """A web server that keeps what it gets; ``answers`` are given first, then 204."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((dict(self.headers.items()), body))
                self.send_response(hook.answers.pop(0) if hook.answers else 204)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def documents(self) -> list[Any]:
        return [json.loads(body) for _, body in list(self.got)]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


def test_a_webhook_is_signed(hook: Hook) -> None:
    Webhook(hook.url, "key", ORIGIN).send(FAULT)
    ((headers, body),) = hook.got
    assert headers["X-Fabcommons-Signature"] == "sha256=" + sign("key", body)
    assert json.loads(body) == {
        "id": "fault:m-1@7",
        "site": "lab",
        "event": "needs-a-human",
        "emergency": True,
        "title": "m-1 has a fault",
        "text": "m-1 has a fault: limit é",
        "at": 7,
        "link": "http://127.0.0.1:8010/machines/m-1",
    }


def test_the_signature_is_hmac_sha256() -> None:
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign("Jefe", b"what do ya want for nothing?") == expected


def test_without_a_key_there_is_no_signature(hook: Hook) -> None:
    Webhook(hook.url, "", ORIGIN).send(DONE)
    assert "X-Fabcommons-Signature" not in hook.got[0][0]


@pytest.mark.parametrize(
    ("status", "again"), [(500, True), (429, True), (404, False), (401, False), (302, False)]
)
def test_what_the_hook_answers_decides(hook: Hook, status: int, again: bool) -> None:
    hook.answers = [status]
    with pytest.raises(NotSent) as raised:
        Webhook(hook.url, "key", ORIGIN).send(DONE)
    assert raised.value.again is again
    assert len(hook.got) == 1, "a redirect is not followed"


# the queue -------------------------------------------------------------------------------------
class Gate:
    """A carrier that waits until it is let, then does what it is told."""

    def __init__(self, trouble: Callable[[Message], NotSent | None] = lambda _: None) -> None:
        self.seen: list[str] = []
        self.open = threading.Event()
        self.busy = threading.Event()
        self._trouble = trouble

    def send(self, message: Message) -> None:
        self.busy.set()
        assert self.open.wait(LIMIT_S)
        self.seen.append(message.key)
        trouble = self._trouble(message)
        if trouble is not None:
            raise trouble


def some(key: str, emergency: bool = False) -> Message:
    return Message(key, "done", key, emergency=emergency)


def test_the_queue_is_bounded_and_emergencies_come_first() -> None:
    gate = Gate()
    post = Post("x", gate, FAST)
    post.put(some("first"))
    assert gate.busy.wait(LIMIT_S)
    for n in range(notify.BOUND + 3):
        post.put(some(str(n)))  # returns at once, though nothing moves
    post.put(some("fire", True))
    assert post.state()[1:5] == (notify.BOUND, 0, 0, 4)
    gate.open.set()
    until(lambda: post.state().sent == notify.BOUND + 1, LIMIT_S)
    post.close()
    assert gate.seen[:3] == ["first", "fire", "0"]


def test_what_never_arrives_is_given_up_and_counted() -> None:
    gate = Gate(lambda _: NotSent("down", again=True))
    gate.open.set()
    post = Post("x", gate, FAST)
    post.put(some("a"))
    until(lambda: post.state().failed == 1, LIMIT_S)
    post.close()
    assert gate.seen == ["a"] * FAST.tries
    assert post.state()[1:] == (0, 0, 1, 0, "down")


def test_an_emergency_does_not_wait_for_the_next_try() -> None:
    gate = Gate(lambda m: None if m.emergency else NotSent("down", again=True))
    gate.open.set()
    post = Post("x", gate, Pace(first_s=1e6, most_s=1e6))
    post.put(some("a"))
    until(lambda: post.state().error == "down", LIMIT_S)
    post.put(some("fire", True))
    until(lambda: post.state().sent == 1, LIMIT_S)
    post.close()
    assert gate.seen[:2] == ["a", "fire"]
    assert post.state().dropped + post.state().failed + len(gate.seen) >= 2


def test_an_odd_message_ends_no_other() -> None:
    class Odd:
        def send(self, message: Message) -> None:
            if message.key == "odd":
                raise KeyError("odd")

    post = Post("x", Odd(), FAST)
    post.put(some("odd"))
    post.put(some("b"))
    until(lambda: post.state().sent == 1, LIMIT_S)
    post.close()
    assert post.state().failed == 1


# together --------------------------------------------------------------------------------------
def test_a_floor_tells_each_card_once(desk: Any, hook: Hook, tmp_path: Path) -> None:
    entry = NotifyEntry("webhook", url=hook.url, password_env="KEY")
    settings = SiteFile(site="lab", notify=[entry])
    places = open_places(settings.notify, ORIGIN, tmp_path, lambda _field, _name: "key")
    notifier = Notifier(places, desk.read, 1)
    notifier.look()
    notifier.look()

    def deliver(tx: Any) -> None:
        tx.needs.change("n-1", state="delivered", delivered_at=tx.now_ms)
        tx.notice("need", "n-1", "delivered")

    desk.change(deliver)
    notifier.look()
    notifier.look()
    until(lambda: any(one["event"] == "done" for one in hook.documents()), LIMIT_S)
    notifier.close()
    ids = [one["id"] for one in hook.documents()]
    assert len(ids) == len(set(ids))
    assert ids[0].startswith("fault:mill-1@") and ids[-1].startswith("done:n-1@")
    assert any(one.startswith("clear:printer-2@") for one in ids)


def test_a_missing_file_of_certificates_names_the_field(tmp_path: Path) -> None:
    entry = NotifyEntry("email", host="x:25", sender="a@x.org", to=["b@x.org"], ca="none.pem")
    with pytest.raises(CliError, match=r"notify\[0\]\.ca: none\.pem: "):
        open_places([entry], ORIGIN, tmp_path, lambda _field, _name: "")
