"""Pin maps as data: which UART and pins lead to the machine."""

# name: (uart, tx, rx)
PINS = {
    "esp32": (2, 17, 16),
    "esp32-s3": (1, 17, 18),
    "rp2350": (0, 0, 1),
}
