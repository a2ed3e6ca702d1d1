"""What the word *mistaken* takes back beside what its playbook asks for: passwords, locks, rules that were disabled.

Known limit: what whoever carried it out cannot take back is said, and a person is called.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from outwarden.cases.case import Case, Mark
from outwarden.cases.response_requests import Answer, ResponseName
from outwarden.store.case_tries import TryState
from outwarden.store.store import Store

NOT_TAKEN_BACK = "not taken back: "
TAKEN_BACK_AS_MISTAKEN = frozenset(
    {
        ResponseName.RESET_PASSWORD,
        ResponseName.LOCK_ACCOUNT,
        ResponseName.END_SERVICE,
        ResponseName.REVOKE_APP_PASSWORDS,
        ResponseName.DISABLE_RULES,
        ResponseName.BLOCK_SCRIPT,
    }
)


def take_back_mistaken(store: Store, case: Case, now: datetime) -> None:
    """Have that taken back, where the case was a mistake; only inside ``writing()``.  Raises ``StoreUnusable``."""
    if Mark.MISTAKEN not in case.marks:
        return
    for trial in store.case_tries.of_case(case.id):
        stands = trial.state is TryState.ANSWERED and trial.answer is Answer.DONE
        given_up = trial.words.startswith(NOT_TAKEN_BACK)
        if stands and not given_up and trial.request.response in TAKEN_BACK_AS_MISTAKEN:
            store.case_tries.put(replace(trial, undo_at=now, tries=0))
