"""The block of webhook delivery."""

from __future__ import annotations

from typing import Any

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from blocks.about import DOCUMENTATION_URL, logo
from dedup2d.net.guard import AddressGuard
from dedup2d.settings import Settings
from dedup2d.webhooks.sender import WebhookSender


class WebhookBlock(Block):
    """How the end of a job is told to its receiver: signature, addresses, time limit."""

    _block_type_name = "dedup2d Webhook"
    _block_type_slug = "dedup2d-webhook"
    _logo_url = logo("webhook")
    _documentation_url = DOCUMENTATION_URL
    _description = "Signs and delivers the webhooks of dedup2d, to public addresses only."

    secret: SecretStr | None = Field(
        None, description="Key of the HMAC-SHA256 signature; webhooks are unsigned without it."
    )
    previous_secrets: list[SecretStr] = Field(
        default_factory=list,
        title="Previous secrets",
        description="Older keys that sign too, while receivers change to the new one.",
    )
    allow_http: bool = Field(
        False, title="Allow http", description="Call http addresses too, not only https."
    )
    block_private_networks: bool = Field(
        True,
        title="Block private networks",
        description="Refuse receivers in private networks and on this machine.",
    )
    allowlist: list[str] = Field(
        default_factory=list,
        description="Hosts that may be called, exactly or as '.suffix'; empty allows all.",
    )
    ports: list[int] = Field(
        default_factory=list,
        description="Ports that may be called; empty means 80, 443, 8080 and 8443, and every "
        "port where private networks are not blocked.",
    )
    timeout_s: float = Field(
        10, ge=0.1, title="Time limit", description="Seconds for one attempt, answer included."
    )

    def build_sender(self, settings: Settings) -> WebhookSender:
        """A sender with this configuration; the caller closes it."""
        values: dict[str, Any] = {
            "callback_hmac_secret": self.secret.get_secret_value() if self.secret else None,
            "callback_hmac_previous": tuple(s.get_secret_value() for s in self.previous_secrets),
            "callback_allow_http": self.allow_http,
            "callback_block_private": self.block_private_networks,
            "callback_allowlist": tuple(self.allowlist),
            "callback_ports": tuple(self.ports),
            "callback_timeout_s": self.timeout_s,
        }
        configured = settings.model_copy(update=values)
        return WebhookSender(configured, AddressGuard(configured))
