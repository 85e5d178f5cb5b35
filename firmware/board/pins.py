"""Pin maps as data: which UART and pins lead to the machine.

The UART buffers hold what comes while flash is erased (250,000 baud for 80 ms). RP2350 disables all
interrupts meanwhile, so bytes that come while its flash is erased can be lost; the line numbers
and checksums of the machine's dialect find that.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    PinMap = dict[str, tuple[int, int, int, int]]

# name: (uart, tx, rx, receive buffer in bytes)
PINS: "PinMap" = {
    "esp32": (2, 17, 16, 2048),
    "esp32-s3": (1, 17, 18, 2048),
    "rp2350": (0, 0, 1, 2048),
}
