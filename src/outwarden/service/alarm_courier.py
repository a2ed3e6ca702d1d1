"""Hands over one alarm, once.  A program of its own, so that it outlives the service that is killed meanwhile.

    python -I -S alarm_courier.py RECEIPT [PROGRAM ARGUMENT...]

The line for the log comes in OUTWARDEN_ALARM_LOG, the text in OUTWARDEN_ALARM_BODY.  RECEIPT is a file for this
try alone, locked while a courier is at work.  What stands in it: nothing, the try was not begun; ``begun``, it was,
and nobody knows how it ended; a number is the exit code it ended with.
Only an empty one is begun, so that any number of couriers for one receipt hand the alarm over once, and the
one that comes after a killed service learns how it went.  Uses nothing but the standard library.
"""

import fcntl
import os
import sys

UNKNOWN = 75
CANNOT_RUN = 127
_MOST_IN_A_PIPE = 60_000  # Linux lets 65,536 octets into a pipe that nobody reads yet.


def main(receipt: str, command: list[str]) -> int:
    """Hand the alarm over unless the receipt says that it was; returns the program's exit code, or ``UNKNOWN``."""
    file = os.open(receipt, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    fcntl.flock(file, fcntl.LOCK_EX)
    before = os.read(file, 16).decode("ascii", "replace").split()
    if before:
        return int(before[-1]) if before[-1].isdigit() else UNKNOWN
    _write(file, "begun\n")
    os.write(2, os.environ.pop("OUTWARDEN_ALARM_LOG", "").encode())
    code = _run(command, os.environ.pop("OUTWARDEN_ALARM_BODY", "")) if command else 0
    _write(file, f"{code}\n")
    return code


def _run(command: list[str], body: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, body.encode()[:_MOST_IN_A_PIPE])
    os.close(writing)
    try:
        program = os.posix_spawnp(
            command[0], command, dict(os.environ), file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0)]
        )
    except OSError as fault:
        os.write(2, f"outwarden: alarms.command: {command[0]}: {fault.strerror}\n".encode())
        return CANNOT_RUN
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    return code if code >= 0 else 128 - code


def _write(file: int, text: str) -> None:
    os.write(file, text.encode("ascii"))
    os.fsync(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
