"""``python -m fabcommons``."""

import sys

from fabcommons.cli import main

sys.exit(main())
