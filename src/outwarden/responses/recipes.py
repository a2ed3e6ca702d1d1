"""The exact commands for mail servers that we do not drive ourselves: Sendmail and Exchange.

They are printed for the postmaster to run.  What was read in their documentation and not tried by us says so.
"""

from outwarden.responses.mail_server import Pauses

_SENDMAIL_SERVER = (
    "# Sendmail: accept and queue, deliver nothing.  Stop the daemon and its queue runner, start one without -q:",
    "systemctl stop sendmail",
    "sendmail -bd -ODeliveryMode=queueonly",
)
_SENDMAIL_SERVER_UNDO = ("systemctl restart sendmail", "sendmail -q")
_EXCHANGE_SERVER = "Get-Queue -Filter \"DeliveryType -ne 'ShadowRedundancy'\" | Suspend-Queue -Confirm:$false"
_EXCHANGE_SERVER_UNDO = "Get-Queue -Filter \"Status -eq 'Suspended'\" | Resume-Queue -Confirm:$false"


def sendmail(wanted: Pauses, undo: bool) -> list[str]:
    """Return the lines for a shell on the Sendmail host."""
    lines = list(_SENDMAIL_SERVER_UNDO if undo else _SENDMAIL_SERVER) if wanted.whole_server else []
    for account in wanted.accounts:
        lines += sendmail_queue("release" if undo else "hold", account)
        lines.append(
            f"# and let no new mail of it in: take the line From:{account} out of the access file, makemap"
            if undo
            else f'printf "From:{account}\\tERROR:4.7.1:450 paused\\n" >> /etc/mail/access && '
            "makemap hash /etc/mail/access < /etc/mail/access"
        )
    for domain in wanted.destinations:
        lines += [f"sendmail -qQ -Q -qR@{domain}", "sendmail -q"] if undo else [f"sendmail -Qpaused -qR@{domain}"]
    return lines


def sendmail_queue(verb: str, account: str) -> list[str]:
    """Return the lines that hold, release or delete what waits of an account."""
    if verb == "hold":
        return [f"sendmail -Qpaused -qS{account}"]
    if verb == "release":
        return [f"sendmail -qQ -Q -qS{account}", f"sendmail -qS{account}"]
    return [
        f"sendmail -Qpurge -qS{account}",
        "tar -C /var/spool -czf /root/mqueue-evidence.tar.gz mqueue  # keep it before anything is deleted",
        f"grep -lF 'S<{account}>' /var/spool/mqueue/hf*  # then remove each of these hf files and its df file",
    ]


def exchange(wanted: Pauses, undo: bool) -> list[str]:
    """Return the lines for the Exchange Management Shell."""
    lines = [_EXCHANGE_SERVER_UNDO if undo else _EXCHANGE_SERVER] if wanted.whole_server else []
    for account in wanted.accounts:
        lines += exchange_queue("release" if undo else "hold", account)
        rule = f"Outwarden pause {account}"
        lines.append(
            f"Remove-TransportRule '{rule}' -Confirm:$false"
            if undo
            else f"New-TransportRule '{rule}' -From '{account}' -RejectMessageReasonText 'paused by the postmaster'"
        )
    verb = "Resume-Queue" if undo else "Suspend-Queue"
    lines += [f"{verb} -Filter \"NextHopDomain -eq '{domain}'\" -Confirm:$false" for domain in wanted.destinations]
    return lines


def exchange_queue(verb: str, account: str) -> list[str]:
    """Return the lines that hold, release or delete what waits of an account."""
    chosen = f"-Filter \"FromAddress -eq '{account}'\" -Confirm:$false"
    if verb != "delete":
        return [f"{'Suspend' if verb == 'hold' else 'Resume'}-Message {chosen}"]
    return [
        f"Suspend-Message {chosen}",
        f"Get-Message -Filter \"FromAddress -eq '{account}'\" | ForEach-Object {{ Export-Message $_.Identity | "
        "AssembleMessage -Path (Join-Path 'C:\\Evidence' ($_.InternetMessageId.Trim('<>') + '.eml')) }",
        f"Remove-Message {chosen} -WithNDR $false",
    ]
