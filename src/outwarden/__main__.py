"""``python -m outwarden`` is the command ``outwarden``."""

from outwarden.cli.main import main

main()
