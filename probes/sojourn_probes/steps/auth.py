"""How a step signs in: what may stand under `auth:`, for every step kind that has it. What is done with it is in `auth_run.py`."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sojourn_probes.model import Model
from sojourn_probes.names import references

BY_REFERENCE: Final = (("secrets",), ("steps",), ("totp",))
"""What the value of a secret field may come from."""


def by_reference(text: str) -> str:
    """A field that is a secret by nature: its value must come from `${secrets.…}` or from what an earlier step extracted."""
    if not any(reference.parts[:1] in BY_REFERENCE for reference in references(text)):
        raise ValueError('is a secret and must not stand in the file; write "${secrets.name}" and set SOJOURN_SECRET_NAME')
    return text


SecretText = Annotated[str, AfterValidator(by_reference)]
Line = Annotated[str, Field(min_length=1, max_length=2000)]


def _web_address(text: str) -> str:
    if "${" not in text and not text.lower().startswith(("http://", "https://")):
        raise ValueError(f"{text!r} is no address; write it with http:// or https://")
    return text


def _words(value: Any) -> Any:
    return " ".join(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


WebAddress = Annotated[str, Field(min_length=1, max_length=8192), AfterValidator(_web_address)]
Scope = Annotated[Line, BeforeValidator(_words, json_schema_input_type=Line | list[str])]


class OAuth2(Model):
    """A token of the client itself (client credentials, RFC 6749 §4.4), kept until it runs out."""

    token_url: WebAddress = Field(description="where tokens are given out")
    client_id: Line = Field(description="who asks")
    client_secret: SecretText = Field(description="its secret, by reference: ${secrets.name}")
    scope: Scope | None = Field(None, description="what the token shall be good for: words, or a list of them")
    audience: Line | None = Field(None, description="for whom it shall be good, where the server wants to know")
    style: Literal["header", "body"] = Field("header", description="how id and secret are sent: header (HTTP basic) or body (as form fields)")


class SigV4(Model):
    """AWS Signature Version 4: each request is signed. Needs `pip install sojourn[aws]`."""

    access_key: SecretText = Field(description="access key id, by reference: ${secrets.name}")
    secret_key: SecretText = Field(description="secret access key, by reference: ${secrets.name}")
    session_token: SecretText | None = Field(None, description="session token of temporary keys, by reference")
    region: Line = Field(description="such as eu-central-1")
    service: Line = Field(description="such as execute-api, s3 or lambda")


class PlainAuth(Model):
    """How to sign in where only a header is needed: a user and password (basic), or a bearer token."""

    user: str | None = Field(None, description="user name for basic authentication")
    password: SecretText | None = Field(None, description="its password, by reference: ${secrets.name}")
    bearer: SecretText | None = Field(None, description="a bearer token, by reference: ${secrets.name} or ${steps.login.token}")

    @model_validator(mode="after")
    def _one_way(self) -> "PlainAuth":
        others = [name for name in type(self).model_fields if name not in ("user", "password")]
        ways, basic = sum(getattr(self, name) is not None for name in others), (self.user is not None, self.password is not None)
        if ways + any(basic) != 1 or any(basic) != all(basic):
            raise ValueError(f"say user: and password:, or {' or '.join(f'{name}:' for name in others)} alone")
        return self


class Auth(PlainAuth):
    """How to sign in: a user and password (basic), a bearer token, a token of OAuth 2, or a signature."""

    oauth2: OAuth2 | None = Field(None, description="a token of the client itself (client credentials), fetched when needed")
    sigv4: SigV4 | None = Field(None, description="sign each request for AWS")
