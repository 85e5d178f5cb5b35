"""Brokers of other makes, as a test's own: RabbitMQ with its MQTT plug-in, NATS with JetStream.

Which one the tests use says ``FABCOMMONS_TEST_BROKER`` (rabbitmq, nats; else mosquitto).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.adapters.broker import free_port
from support.waiting import until

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
START_S = 180.0


class Started:
    """A broker that is a process group of ours; ``after`` clears up what it left running."""

    kind = "external"

    def __init__(self, port: int, process: subprocess.Popen[bytes], after: Callable[[], None]):
        self.host, self.port = "127.0.0.1", port
        self._process = process
        self._after = after
        until(self._answers, START_S, "the broker")

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the broker ended"
        try:
            socket.create_connection((self.host, self.port), 1).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._after()


def start_rabbitmq(folder: Path) -> Started:
    """RabbitMQ of the distribution's package."""
    _need(str(RABBITMQ) if RABBITMQ.exists() else None, "rabbitmq-server")
    port, amqp, far, names = (free_port() for _ in range(4))
    (folder / "plugins").write_text("[rabbitmq_mqtt].\n")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{amqp}\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\n"
        "mqtt.allow_anonymous = true\nmqtt.default_user = guest\nmqtt.default_pass = guest\n"
        "mqtt.prefetch = 200\nmqtt.tcp_listen_options.nodelay = true\n"
    )
    environment = {
        **os.environ, "HOME": str(folder), "PATH": SYSTEM_PATH, "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_NODENAME": f"fab{port}@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_DIST_PORT": str(far),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }  # fmt: skip
    log = (folder / "rabbitmq.log").open("wb")
    process = subprocess.Popen([str(RABBITMQ)], env=environment, stdout=log, stderr=log)

    def after() -> None:
        subprocess.run(["epmd", "-kill"], env=environment, check=False, stdout=log, stderr=log)

    return Started(port, process, after)


def start_nats(folder: Path) -> Started:
    """nats-server of the distribution's package, or unpacked in .cache/nats."""
    unpacked = Path(__file__).parents[2] / ".cache" / "nats" / "usr" / "sbin"
    program = shutil.which("nats-server", path=f"{SYSTEM_PATH}:{unpacked}")
    _need(program, "nats-server")
    assert program is not None
    port, own = free_port(), free_port()
    config = folder / "nats.conf"
    config.write_text(
        f'server_name: fab\nlisten: "127.0.0.1:{own}"\njetstream {{ store_dir: "{folder}/js" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{port}", max_ack_pending: 200 }}\n'
    )
    log = (folder / "nats.log").open("wb")
    process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
    return Started(port, process, lambda: None)


def _need(found: str | None, package: str) -> None:
    if found is None:
        reason = f"{package} is not installed (Debian: apt-get install {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


STARTS = {"rabbitmq": start_rabbitmq, "nats": start_nats}
