"""A GitHub App's credentials in; a connection that gets and renews its hourly token out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from muster.errors import Rejected, SourceFailed
from muster.sources._answer import WaitOf
from muster.sources._http import Api, Http
from muster.sources._tokens import fields_of, hidden, jwt

NEEDS = 'a GitHub App\'s {"app_id", "installation_id", "private_key"}'
PROOF = timedelta(minutes=9)  # ten are allowed
EARLY = timedelta(minutes=1)  # clocks differ


def signed_as_app(
    http: Http, base_url: str, headers: Mapping[str, str], secret: str, name: str, wait_of: WaitOf
) -> Api:
    """The client, signed by a token of the app's installation; ``headers`` go with each request."""
    fields = fields_of(secret, name, NEEDS, "app_id", "installation_id", "private_key")
    hide = hidden(secret)

    def signature() -> dict[str, str]:
        try:
            claims = {"iss": str(fields["app_id"])}
            proof = jwt(claims, str(fields["private_key"]), http.clock() - EARLY, PROOF)
        except ValueError as error:
            raise SourceFailed(f"{name}: {error}: needs {NEEDS}") from None
        proven = {**headers, "Authorization": f"Bearer {proof}"}
        path = f"/app/installations/{fields['installation_id']}/access_tokens"
        try:
            with Api(http, base_url, proven, name=name, wait_of=wait_of, secrets=hide) as app:
                token = app.post(path).body["token"]
        except Rejected as refused:
            raise SourceFailed(
                f"{refused}: check app_id, installation_id and private_key of the source's secret"
            ) from refused
        return {**headers, "Authorization": f"Bearer {token}"}

    def renew(refused: Rejected) -> Mapping[str, str] | None:
        return signature() if refused.status == 401 else None

    return Api(
        http, base_url, signature(), name=name, wait_of=wait_of, renew=renew, secrets=hide
    )  # fmt: skip
