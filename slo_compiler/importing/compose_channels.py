"""Channels of a tenant in labels: `slo.channel.KIND`, and `slo.channel.KIND.FIELD`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slo_compiler.diagnostics import Report, nearest
from slo_compiler.importing.compose_labels import PREFIX, Label
from slo_compiler.schema.base import shown
from slo_compiler.schema.channel import CHANNEL_KINDS

CHANNEL = "channel"
_SEVERITY = "severity"
_DEFAULT = ("", "true", True)
# The field that the label of a kind sets, and its file of a secret, if it is named by default.
_FIELDS: dict[str, tuple[str, str]] = {
    "slack": ("channel", "api_url_file"),
    "email": ("to", ""),
    "telegram": ("chat_id", "bot_token_file"),
    "webhook": ("url", "url_file"),
    "pagerduty": ("routing_key_file", "routing_key_file"),
    "opsgenie": ("api_key_file", "api_key_file"),
    "msteams": ("webhook_url_file", "webhook_url_file"),
    "discord": ("webhook_url_file", "webhook_url_file"),
}
_MODELS = {kind.KIND: kind for kind in CHANNEL_KINDS}
KINDS = tuple(_MODELS)


def channel_labels() -> list[str]:
    """Give the keys of all labels about channels."""
    fields = (
        f"{kind}.{name}" for kind, model in _MODELS.items() for name in [*_names(model), _SEVERITY]
    )
    return [f"{CHANNEL}.{each}" for each in (*KINDS, *fields)]


def _names(model: Any) -> list[str]:  # noqa: ANN401
    return [each.alias or name for name, each in model.model_fields.items()]


@dataclass(slots=True)
class Channels:
    """The channels of one tenant, which all of its services may name."""

    secrets: str  # folder
    labels: dict[str, Label] = field(default_factory=dict)

    def take(self, labels: Mapping[str, Label], report: Report) -> None:
        """Take the labels of a service; two services that set one label differently are wrong."""
        known = channel_labels()
        for key, label in labels.items():
            if key not in known:
                continue
            first = self.labels.setdefault(key, label)
            if first.value != label.value:
                text = f"{PREFIX}{key} is {shown(first.value)} at {first.at}: a tenant has one"
                report.error(label.at, "import-refused", text, "write the same, or remove one")

    def read(self, report: Report) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Give the channels, and the escalation that notifies them."""
        channels, by_severity = [], dict[str, list[str]]()
        for kind in KINDS:
            prefix = f"{CHANNEL}.{kind}"
            own = {
                key.removeprefix(prefix).removeprefix("."): label
                for key, label in self.labels.items()
                if key == prefix or key.startswith(f"{prefix}.")
            }
            if not own:
                continue
            severities = self._severities(own.pop(_SEVERITY, None), report)
            channels.append({"name": kind, kind: self._body(kind, own)})
            for severity in severities:
                by_severity.setdefault(severity, []).append(kind)
        steps = [{"severity": each, "notify": names} for each, names in by_severity.items()]
        return channels, steps

    def _severities(self, label: Label | None, report: Report) -> list[str]:
        if label is None:
            return ["page", "ticket"]
        names = [name.strip() for name in str(label.value).split(",")]
        for name in names:
            if name not in ("page", "ticket"):
                help_ = nearest(name, ("page", "ticket"))
                report.error(label.place, "import-refused", f"no severity {shown(name)}", help_)
        return names

    def _body(self, kind: str, own: Mapping[str, Label]) -> dict[str, Any]:
        main, secret = _FIELDS[kind]
        body: dict[str, Any] = {}
        for name, label in own.items():
            key, value = name or main, label.value
            if not name and value in _DEFAULT and secret:
                continue
            if not name and kind == "webhook" and str(value).startswith("/"):
                key = "url_file"
            body[key] = label.made()
            if key == "to":
                body[key] = label.made([each.strip() for each in str(value).split(",")])
            elif key in ("chat_id", "message_thread_id", "max_alerts", "require_tls"):
                body[key] = label.made(_plain(value))
        if secret and secret not in body and not (kind == "webhook" and "url" in body):
            body[secret] = f"{self.secrets}/{kind}"
        return body


def _plain(value: object) -> object:
    """Read a number or a truth value that a list of labels has as text."""
    text = str(value)
    if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 19:  # noqa: PLR2004
        return int(text)
    return {"true": True, "false": False}.get(text.lower(), value)
