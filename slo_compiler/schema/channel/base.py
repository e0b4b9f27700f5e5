"""What every kind of channel declares: its key, Alertmanager's field, versions, secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import model_validator

from slo_compiler.schema.base import Strict, invalid


class ChannelKind(Strict):
    """One integration of a receiver."""

    KIND: ClassVar[str]  # its key in the manifest
    FIELD: ClassVar[str]  # its list in an Alertmanager receiver
    SINCE: ClassVar[Mapping[str, str]] = {}  # field ("" is the kind itself) -> Alertmanager version
    # field -> settings of the base configuration's `global` of which one is needed where it is none
    GLOBALS: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    INLINE_SECRETS: ClassVar[Mapping[str, str]] = {}  # key that is refused -> the one to use

    @model_validator(mode="before")
    @classmethod
    def _no_inline_secret(cls, data: Any) -> Any:  # noqa: ANN401
        if isinstance(data, dict):
            for key, instead in cls.INLINE_SECRETS.items():
                if key in data:
                    raise invalid(
                        "inline-secret",
                        f'"{key}" would put a secret into the repo',
                        f"store it in a file on Alertmanager's machine and name it: {instead}",
                        key,
                    )
        return data

    def secret_files(self) -> Iterator[tuple[str, str]]:
        """Give (field, path) of each secret that the channel reads."""
        for field in type(self).model_fields:
            value = getattr(self, field)
            if field.endswith("_file") and value is not None:
                yield field, value
