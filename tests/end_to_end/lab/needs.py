"""What a story with the gate needs of the machine."""

import os
import shutil

import pytest

A_POSTFIX = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not shutil.which("dovecot", path="/usr/sbin"), reason="dovecot-core is not installed"),
]
