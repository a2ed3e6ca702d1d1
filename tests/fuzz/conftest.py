"""The modules beside this file are found by their plain names, by pytest as by ``python long_run.py``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
