"""Claim: ``outwarden --help`` answers in under 150 ms, so that a monitor may call it each minute.

python bench/start_up.py
"""

from measuring import OUTWARDEN, PYTHON, compare, print_table


def main() -> None:
    """Measure and print; the peer is an interpreter that does nothing."""
    commands = {
        "outwarden --help": [*OUTWARDEN, "--help"],
        "outwarden --version": [*OUTWARDEN, "--version"],
        "outwarden reply TEXT": [*OUTWARDEN, "reply", "550 5.1.1 User unknown"],
        "python -c pass": [PYTHON, "-c", "pass"],
    }
    print_table(compare(commands), ["python -c pass"])


if __name__ == "__main__":
    main()
