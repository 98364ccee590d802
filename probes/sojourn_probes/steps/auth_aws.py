"""AWS Signature Version 4, by botocore, for the requests of http steps and of browsers alike."""

from collections.abc import Callable, Mapping
from typing import Final

from sojourn_probes.names import Names
from sojourn_probes.steps.auth import SigV4

NO_BOTOCORE: Final = "auth.sigv4 needs botocore; install sojourn[aws]"
"""Said where the library is not there."""

Signer = Callable[[str, str, Mapping[str, str], bytes], dict[str, str]]
"""Method, URL without its fragment, headers and body → the headers that sign them, to be put in place of what is there."""

_MADE: Final = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256")


def aws_signer(keys: SigV4, names: Names) -> Signer:
    """What signs requests with `keys`. Raises `NameMissing`, and ImportError without botocore."""
    # 30 MiB and 0.2 s: only for journeys that sign.
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    access, secret = names.fill_text(keys.access_key), names.fill_text(keys.secret_key)
    session = None if keys.session_token is None else names.fill_text(keys.session_token)
    service, region = names.fill_text(keys.service), names.fill_text(keys.region)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth

    def sign(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        # What proxies and servers on the way may touch is left out of the signature.
        lower = {name.lower(): value for name, value in headers.items()}
        kept = {name: value for name, value in lower.items() if (name in ("content-type", "host") or name.startswith("x-amz-")) and name not in _MADE}
        asked = AWSRequest(method, url, headers=kept, data=body)
        signer(Credentials(access, secret, session), service, region).add_auth(asked)
        return {name: value for name, value in asked.headers.items() if name.lower() == "authorization" or name.lower().startswith("x-amz-")}

    return sign
