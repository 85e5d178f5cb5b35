"""Trying a broker as a machine would that wants to speak for another; and this computer's clock."""

from __future__ import annotations

import ctypes
import ssl
import threading
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

WAIT_S = 15.0
_UNSYNC = 0x40  # STA_UNSYNC of adjtimex(2)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a broker is; ``tls`` None = it speaks plain."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    name: str = ""


class _Named(ssl.SSLContext):
    """Expects another name in a certificate than the address connected to."""

    expected = ""

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*args, **{**options, "server_hostname": self.expected})


def trusting(ca: str, name: str) -> ssl.SSLContext:
    """TLS that trusts one authority and expects one name, whatever the address."""
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ca)
    context.expected = name
    return context


def may_publish(place: Place, login: tuple[str, str], topic: str) -> bool:
    """Whether somebody may publish to a topic, by trying; raise OSError when nobody can tell.

    MQTT 5 is spoken, for a broker of 3.1.1 takes what it throws away.
    """
    answers: list[Any] = []
    came, told = threading.Event(), threading.Event()
    client: Any = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=f"fab-doctor-{login[0]}"[:60], protocol=paho.MQTTv5
    )
    client.username_pw_set(*login)
    if place.tls is not None:
        client.tls_set_context(place.tls)

    def on_connect(_c: Any, _d: Any, _f: Any, reason: Any, _p: Any) -> None:
        answers.append(reason)
        came.set()

    def on_publish(_c: Any, _d: Any, _m: Any, reason: Any, _p: Any) -> None:
        answers.append(reason)
        told.set()

    client.on_connect = on_connect
    client.on_publish = on_publish
    client.connect(place.host, place.port)
    client.loop_start()
    try:
        if not came.wait(WAIT_S) or answers[0].is_failure:
            raise ConnectionError(f"refuses {login[0]}: {answers[0] if answers else 'no answer'}")
        client.publish(topic, b"", 1)
        if not told.wait(WAIT_S):
            raise ConnectionError("does not answer a message")
        return not answers[1].is_failure
    finally:
        client.disconnect()
        client.loop_stop()


class _Timex(ctypes.Structure):
    """The beginning of struct timex, Linux."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def clock_error_ms() -> int | None:
    """How far off this computer's clock may be by its own word, ms; None when nobody sets it.

    Raises OSError where the system does not say.
    """
    held = _Timex()
    try:
        code = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(held))
    except AttributeError as error:
        raise OSError("this system does not tell") from error
    if code < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return None if held.status & _UNSYNC else held.maxerror // 1000
