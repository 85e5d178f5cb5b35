"""The adapters, a line each; ``link`` of a machine in the site file is their name."""

from controller.adapters.hosts import folder, moonraker, mtconnect, octoprint, prusalink
from controller.adapters.hosts.contract import Kind

KINDS: dict[str, Kind] = {
    "moonraker": moonraker.KIND,
    "octoprint": octoprint.KIND,
    "prusalink": prusalink.KIND,
    "mtconnect": mtconnect.KIND,
    "folder": folder.KIND,
}
