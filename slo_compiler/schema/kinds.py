"""Mappings whose one key is their kind: SLIs and channels."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import create_model

from slo_compiler.schema.base import OneOf
from slo_compiler.schema.channel import CHANNEL_KINDS
from slo_compiler.schema.channel.base import ChannelKind
from slo_compiler.schema.sli import SLI_TYPES
from slo_compiler.schema.sli.base import SLIType
from slo_compiler.schema.texts import Name


class _OneKind(OneOf):
    """A mapping with one key, which is its kind; the key's value has the fields."""

    @cached_property
    def _body(self) -> Any:  # noqa: ANN401
        return next(body for kind in self.ONE_OF if (body := getattr(self, kind)) is not None)


def _keyed(name: str, base: type[_OneKind], kinds: tuple[type[Any], ...]) -> type[_OneKind]:
    """Make the model with one optional key for each kind of a registry."""
    fields: dict[str, Any] = {kind.KIND: (kind | None, None) for kind in kinds}
    model = create_model(name, __base__=base, __doc__=base.__doc__, **fields)
    model.ONE_OF = tuple(kind.KIND for kind in kinds)
    return model


class SLIBase(_OneKind):
    """How errors and events are counted: exactly one SLI type."""

    @property
    def body(self) -> SLIType:
        """The fields of the type that was given."""
        body: SLIType = self._body
        return body


class ChannelBase(_OneKind):
    """Where notifications go: a name, and exactly one kind."""

    @property
    def body(self) -> ChannelKind:
        """The fields of the kind that was given."""
        body: ChannelKind = self._body
        return body


class NamedChannelBase(ChannelBase):
    """A channel that escalation steps refer to."""

    name: Name


if TYPE_CHECKING:
    SLI: TypeAlias = SLIBase
    HeartbeatChannel: TypeAlias = ChannelBase
    Channel: TypeAlias = NamedChannelBase
else:
    SLI = _keyed("SLI", SLIBase, SLI_TYPES)
    HeartbeatChannel = _keyed("HeartbeatChannel", ChannelBase, CHANNEL_KINDS)
    Channel = _keyed("Channel", NamedChannelBase, CHANNEL_KINDS)
