"""Version of this firmware; a built release writes its own here."""

VERSION = "0.1.0"
