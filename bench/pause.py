"""Claim: with 10,000 messages queued, ``outwarden pause`` returns in under 0.5 s, and nothing leaves after it has.

python bench/pause.py [MESSAGES]   (as root, with Postfix installed)

A Postfix of its own on loopback, its queue filled while it is paused; then the commands as an operator types them,
start of the interpreter included, medians of three.  While the server is paused and resumed mail is handed in without
end, and what the sink has taken is counted when the command returns and again a second later.
"""

import json
import os
import shutil
import smtplib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/end_to_end"), str(ROOT / "src")]

from lab.postfix import Postfix  # noqa: E402 (found through the path above)
from lab.smtp_world import Sink  # noqa: E402

ROUNDS = 3
THIEF, OTHER = "rosa@isp.example", "jan@isp.example"


def main(messages: int) -> None:
    """Fill, measure, print."""
    home = Path(tempfile.mkdtemp(prefix="outwarden-", dir="/var/lib"))
    home.chmod(0o755)
    sink = Sink()
    postfix = Postfix(home, sink)
    postfix.start(postfix.filter)
    try:
        (home / "outwarden.toml").write_text(
            f'[store]\npath = "{home}/kept/outwarden.db"\n[mail_server]\npostfix_config = "{home}/etc"\n'
        )
        measure(home, postfix, sink, messages)
    finally:
        postfix.stop()
        sink.stop()
        shutil.rmtree(home)


def measure(home: Path, postfix: Postfix, sink: Sink, messages: int) -> None:
    """Take each command three times."""
    verb(home, "pause")
    hand_in(postfix.smtp, messages // 10, THIEF)
    hand_in(postfix.smtp, messages - messages // 10, OTHER)
    print(f"queued: {len(postfix.run('postqueue', '-j').splitlines()):,} messages, {THIEF} a tenth of them")
    times: dict[str, list[float]] = {}
    leaks = []
    for _ in range(ROUNDS):
        note(times, "--version, for comparison", verb(home, "--version"))
        note(times, "pause, again", verb(home, "pause"))
        note(times, "pause --account", verb(home, "pause", "--account", THIEF))
        note(times, "resume --account", verb(home, "resume", "--account", THIEF))
        note(times, "queue hold --account", verb(home, "queue", "hold", "--account", THIEF))
        note(times, "queue release --account", verb(home, "queue", "release", "--account", THIEF))
        note(times, "pause --destination", verb(home, "pause", "--destination", "far.example"))
        verb(home, "resume", "--destination", "far.example")
        note(times, "resume", verb(home, "resume"))
        taken = len(sink.accepted)
        while len(sink.accepted) < taken + 100:
            time.sleep(0.01)
        note(times, "pause, mail leaving", verb(home, "pause"))
        taken = len(sink.accepted)
        time.sleep(1)
        leaks.append(len(sink.accepted) - taken)
        waiting = len(postfix.run("postqueue", "-j").splitlines())
        hand_in(postfix.smtp, messages - waiting, OTHER)
    for name, seconds in times.items():
        print(f"{name:26}{statistics.median(seconds):7.2f} s   ({', '.join(f'{each:.2f}' for each in seconds)})")
    print(f"left in the second after pause had returned: {leaks}")


def verb(home: Path, *arguments: str) -> float:
    """Run the command, and return how long it took."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "outwarden", "--config", str(home / "outwarden.toml"), "--json", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    took = time.perf_counter() - begun
    if done.returncode != 0:
        sys.exit(done.stderr)
    for line in done.stdout.splitlines() if arguments != ("--version",) else ():
        for remark in json.loads(line)["remarks"]:
            print(f"  {' '.join(arguments)}: {remark}")
    return took


def note(times: dict[str, list[float]], name: str, seconds: float) -> None:
    """Keep a time."""
    times.setdefault(name, []).append(seconds)


def hand_in(port: int, count: int, sender: str) -> None:
    """Hand in so many messages over four sessions."""
    threads = [threading.Thread(target=_session, args=(port, count // 4, sender)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _session(port: int, count: int, sender: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, "client.example") as session:
        for _ in range(count):
            session.sendmail(sender, ["ann@bigmail.example"], "Subject: on and on\r\n\r\n" + "Hello.\r\n" * 200)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
