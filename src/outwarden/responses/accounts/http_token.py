"""Tokens for interfaces that want one: by a client's secret (RFC 6749 section 4.4), or by a service account's key.

The latter is RFC 7523 section 2.1.  A token is asked for anew for each request, and kept nowhere.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

from outwarden.responses.accounts.connector import OperatorFault
from outwarden.responses.accounts.http_exchange import Server
from outwarden.responses.accounts.http_settings import TokenSettings
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.templates import filled

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIVES_SECONDS = 600


class Tokens:
    """Where tokens are had.  Raises ``OperatorFault`` for settings that cannot be right."""

    def __init__(self, name: str, settings: TokenSettings, secret: Secret, seconds: float, ca_file: str) -> None:
        self._name, self._settings, self._secret = name, settings, secret
        self._server = Server(f"{name}: token", settings.url, seconds, ca_file)

    def token(self, values: dict[str, str]) -> str:
        """Return a token; ``values`` are put into the subject."""
        form = self._signed(values) if self._settings.by == "service-account" else self._client()
        kind = "application/x-www-form-urlencoded"
        reply = self._server.ask("POST", "", {}, urlencode(form).encode(), kind)
        given = reply.content.get("access_token") if isinstance(reply.content, dict) else None
        if reply.status != 200 or not isinstance(given, str) or not given:
            fault = reply.content.get("error") if isinstance(reply.content, dict) else None
            raise OperatorFault(f"{self._name}: no token: {reply.status} {str(fault or '')[:100]}".rstrip())
        return given

    def _client(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self._settings.client,
            "client_secret": self._secret.reveal(),
            "scope": self._settings.scope,
        }

    def _signed(self, values: dict[str, str]) -> dict[str, str]:
        issuer, key = self._key()
        now = int(time.time())
        claims = {
            "iss": issuer,
            "scope": self._settings.scope,
            "aud": self._settings.url,
            "iat": now,
            "exp": now + _LIVES_SECONDS,
        }
        if self._settings.subject:
            claims["sub"] = filled(self._settings.subject, values)
        return {"grant_type": _GRANT, "assertion": _assertion(claims, key)}

    def _key(self) -> tuple[str, Any]:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            file = json.loads(self._secret.reveal())
            issuer, key = str(file["client_email"]), load_pem_private_key(str(file["private_key"]).encode(), None)
        except (ValueError, KeyError, TypeError):
            raise OperatorFault(f"{self._name}: the secret is no service account's key file") from None
        if not isinstance(key, RSAPrivateKey):
            raise OperatorFault(f"{self._name}: the service account's key is not RSA")
        return issuer, key


def _assertion(claims: dict[str, Any], key: Any) -> str:  # noqa: ANN401 (loaded where it is used)
    """Return a JSON Web Token signed with RS256 (RFC 7515 section 3.1, RFC 7518 section 3.3)."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signed = ".".join(_part(json.dumps(each).encode()) for each in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{signed}.{_part(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _part(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
