"""What one tenant may take: of the server that evaluates its rules, and of a compile."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slo_compiler.schema.base import Strict
from slo_compiler.schema.texts import Name

MAX_MANIFEST_BYTES = 1 << 20  # nothing longer is read
_Most = Annotated[int, Field(ge=1, le=1_000_000_000)]


class TenantQuotas(Strict):
    """What a tenant may take of the server that evaluates its rules; what is not here is free."""

    slos: _Most | None = Field(default=None, description="Most SLOs of a tenant.")
    rules: _Most | None = Field(
        default=None, description="Most rules of a tenant, those that record and those that alert."
    )
    series: _Most | None = Field(
        default=None,
        description="Most series that a tenant's rules record, one for each SLO with `by`.",
    )
    samples_per_second: _Most | None = Field(
        default=None,
        description="Most samples that the evaluation of a tenant's rules reads in a second, if "
        "each selector of an SLI has one series: as slo-compiler cost estimates.",
    )


class Quotas(TenantQuotas):
    """What each tenant may take of the server that evaluates its rules, unless it has its own."""

    tenants: dict[Name, TenantQuotas] = Field(
        default={}, description="Of single tenants, by name: each key replaces that of all."
    )

    def of(self, tenant: str) -> TenantQuotas:
        """Give the quotas of a tenant: its own, and those of all for what its own leave out."""
        own = self.tenants.get(tenant, TenantQuotas())
        return TenantQuotas.model_construct(
            **{
                key: getattr(self, key) if (one := getattr(own, key)) is None else one
                for key in TenantQuotas.model_fields
            }
        )


class Limits(Strict):
    """What one tenant may cost all others at a compile."""

    manifest_bytes: Annotated[int, Field(ge=1, le=MAX_MANIFEST_BYTES)] = Field(
        default=MAX_MANIFEST_BYTES, description="Largest file of manifests."
    )
    slos: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=1_000, description="Most SLOs of a tenant."
    )
    rules: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=30_000, description="Most rules of a tenant."
    )
    proof_bytes: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        default=50_000_000,
        description="Largest proofs of a tenant: its unit tests and its expected routes.",
    )
    cpu_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=120, description="Most CPU time that a file of manifests takes to compile."
    )
    memory_megabytes: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=2_000, description="Most memory that a file of manifests takes to compile."
    )
