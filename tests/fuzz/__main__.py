"""``python -m tests.fuzz`` fuzzes every reader for some minutes: see ``long_run``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from long_run import main

sys.exit(main())
