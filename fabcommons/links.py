"""Links to machines that do not speak MQTT, each opened with the first machine that needs it.

What they stand on takes a second or more to load: a site without a cell never does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from controller.adapters.hosts.link import HostsLink
from controller.adapters.hosts.registry import KINDS
from controller.adapters.hosts.settings import settings as host_settings
from controller.app import Site
from controller.joints.cells import CellSite
from fabcommons.options import secret

if TYPE_CHECKING:
    from controller.adapters.opcua.connect import Access
    from controller.adapters.opcua.link import OpcuaLink
    from controller.adapters.site_file import MachineEntry


class Links:
    """The links of a site besides MQTT; the site closes them."""

    def __init__(self, site: Site, base: Path) -> None:
        self._site = site
        self._base = base
        self._cells: OpcuaLink | None = None
        self._hosts: HostsLink | None = None

    def add(self, entry: MachineEntry) -> None:
        """Visit one more machine; raise CliError when a secret it names is not there."""
        if entry.link == "opcua" and entry.url:
            self._of_cells().add(entry.id, _access(entry, entry.url, self._base))
        elif entry.link in KINDS:
            known = host_settings(
                entry, self._base, lambda field, name: secret(f"{entry.id}: {field}", name)
            )
            self._of_hosts().add(entry.id, KINDS[entry.link], known)

    def leave_cells(self) -> None:
        """Leave every cell for good: its end is no lost connection then."""
        if self._cells is not None:
            del self._site.outlet.links["opcua"]
            self._cells.close()
            self._cells = None

    def _of_cells(self) -> OpcuaLink:
        if self._cells is None:
            from controller.adapters.opcua.link import OpcuaLink

            self._cells = OpcuaLink(CellSite(self._site))
            self._site.outlet.links["opcua"] = self._cells
            self._cells.start()
        return self._cells

    def _of_hosts(self) -> HostsLink:
        if self._hosts is None:
            self._hosts = HostsLink(CellSite(self._site))
            self._site.outlet.links.update(dict.fromkeys(KINDS, self._hosts))
        return self._hosts


def _access(entry: MachineEntry, url: str, base: Path) -> Access:
    """How to reach a cell; raise CliError when a password is named and not there."""
    from controller.adapters.opcua.connect import Access
    from controller.adapters.opcua.security import Security

    wanted = entry.security
    if wanted is None:
        return Access(url)
    pinned = wanted.server_certificate
    security = Security(
        certificate=base / wanted.certificate,
        key=base / wanted.key,
        policy=wanted.policy,
        mode=wanted.mode,
        server_certificate=base / pinned if pinned else None,
        trust=base / wanted.trust,
    )
    password = secret(f"{entry.id}: security.password_env", wanted.password_env)
    return Access(url, security=security, user=wanted.user, password=password)
