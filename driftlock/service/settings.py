"""Every setting of the service, from environment variables, validated."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import limits
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from driftlock.errors import OptionError

PREFIX = "DRIFTLOCK_HTTP_"
MB = 1_000_000

Texts = Annotated[tuple[str, ...], NoDecode]  # commas between them, as people write them


def _state_folder() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "driftlock" / "baselines"


class Settings(BaseSettings):
    """What can be set; each by ``DRIFTLOCK_HTTP_`` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Processes; each holds about 330 MB.")
    data_dir: Path = Field(
        default_factory=_state_folder, description="Folder that kept baselines stand in."
    )

    max_body_bytes: int = Field(
        10 * MB, ge=1, description="Bytes of a body, before and after decompression."
    )
    max_events: int = Field(100_000, ge=1, description="Events of a request.")
    max_event_chars: int = Field(262_144, ge=2, description="Characters of an event as JSON.")
    max_depth: int = Field(16, ge=1, le=32, description="Levels of nesting within an event.")
    max_columns: int = Field(500, ge=1, description="Columns of all events, nested ones laid out.")
    max_cells: int = Field(
        2_000_000,
        ge=1,
        description="Events times columns; a body of 10 MB that is not sparse has less.",
    )
    max_listed: int = Field(1_000, ge=1, description="Anomalies of an answer told in full.")
    max_permutations: int = Field(
        100_000, ge=99, description="Draws of a window at most, however small its p-value."
    )
    max_baselines: int = Field(100, ge=0, description="Baselines kept; 0 keeps none.")

    upload_seconds: float = Field(30, gt=0, description="Seconds a body may take to arrive.")
    request_seconds: float = Field(60, gt=0, description="Seconds of work on a request.")
    queue_seconds: float = Field(20, gt=0, description="Seconds a request may wait for its turn.")
    shutdown_seconds: int = Field(
        30, ge=0, description="Seconds that running requests have left after SIGTERM."
    )
    concurrency: int = Field(
        default_factory=lambda: max(os.cpu_count() or 1, 1),
        ge=1,
        le=256,
        description="Requests worked on at once, in each process; the processors by default.",
    )
    queue: int = Field(
        16, ge=0, description="Requests that may wait beside them; more are told to come back."
    )
    rate_limit: str = Field(
        "600/minute",
        description='Requests of one client, such as "10/second;600/minute"; "off" for no limit.',
    )

    api_keys_sha256: Texts = Field(
        (), description="SHA-256 in hex of every key that opens /v1, commas between; none: open."
    )
    cors_origins: Texts = Field((), description="Origins that browsers may call from.")
    trusted_proxies: Texts = Field(
        ("127.0.0.1",),
        description="Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level of what is logged."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="A JSON object a line, or lines for people."
    )

    @field_validator("api_keys_sha256", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_keys_sha256")
    @classmethod
    def _are_hashes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for i, text in enumerate(value, start=1):
            if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
                raise ValueError(  # the text may be a key: it is not repeated
                    f"entry {i} is no SHA-256 in hex, which has 64 digits; "
                    "printf %s KEY | sha256sum gives it"
                )
        return tuple(text.lower() for text in value)

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if not re.fullmatch(r"https?://[^/\s*,]+", text):
                raise ValueError(
                    f"{text!r} is no origin; expected such as https://example.org, without a path"
                )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ip_network(text, strict=False)
        return value

    @field_validator("rate_limit")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        if value != "off" and not limits.parse_many(value):
            raise ValueError("expected such as 600/minute, or off")
        return value

    @classmethod
    def from_environment(cls, **given: Any) -> Settings:
        """The settings in force; values given directly go before the environment.

        Raises
        ------
        OptionError
            If a variable is not known or has a value that is not possible; the message names it.
        """
        known = {PREFIX + name.upper() for name in cls.model_fields}
        unknown = sorted(
            name for name in os.environ if name.startswith(PREFIX) and name not in known
        )
        if unknown:
            raise OptionError(f"{unknown[0]} is no setting; there are {', '.join(sorted(known))}")
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0])
            shown = "" if name == "api_keys_sha256" else f"={first['input']!r}"
            raise OptionError(
                f"{PREFIX}{name.upper()}{shown}: {first['msg'].removeprefix('Value error, ')}"
            ) from None

    def as_environment(self) -> dict[str, str]:
        """The variables that give these settings to another process."""
        return {
            PREFIX + name.upper(): _text(getattr(self, name)) for name in type(self).model_fields
        }

    def shown(self) -> list[tuple[str, str, str]]:
        """Variable, value and description of each; of keys only how many there are."""
        rows = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            text = f"{len(value)} key(s)" if name == "api_keys_sha256" else _text(value)
            rows.append((PREFIX + name.upper(), text, field.description or ""))
        return rows


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
