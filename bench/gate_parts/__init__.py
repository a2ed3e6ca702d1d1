"""What the benchmarks of the gate measure with: letters, local lists, rspamd, and who hands mail in.

The mail servers are those of the end-to-end tests.
"""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT / "tests/end_to_end"), str(_ROOT / "src")]
