"""What a machine says it is: answers to M115 and ``$I``."""

IDENTITY_FIELDS = (
    ("firmware", ("text", 200), True, "firmware and version of the machine, as it says itself"),
    ("caps", ("text", 200), True, "what it says it can, separated by spaces"),
    ("dialect", ("id",), True, "marlin, reprapfirmware, klipper, grbl, grblhal, fluidnc"),
)
