"""Templates that are rendered once for each shape, into which the names of SLOs are put.

A thousand SLOs with the same policy have alerts of four shapes. Each shape is rendered with
placeholders in the place of the names. No name can contain one, and no other text of a user is in a
shape: a query is put in last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from slo_compiler.plan.tenant import Identity
from slo_compiler.templating import render, render_expression

# Characters of Unicode's private use area; `fill` puts names in their place, which need no escapes.
PLACEHOLDER = Identity("\ue000", "\ue001", "\ue002")
_QUERY = "\ue003"
_NEXT = "\ue004"  # between shapes that are filled at once


def fill(shape: str, identity: Identity) -> str:
    """Put an SLO's names into a shape."""
    return (
        shape.replace(PLACEHOLDER.tenant, identity.tenant)
        .replace(PLACEHOLDER.service, identity.service)
        .replace(PLACEHOLDER.slo, identity.slo)
    )


def fill_all(shapes: Mapping[str, str], identity: Identity) -> dict[str, str]:
    """Put an SLO's names into shapes by key."""
    return dict(zip(shapes, fill(_NEXT.join(shapes.values()), identity).split(_NEXT), strict=True))


def expression(template: str, identity: Identity, /, **values: object) -> str:
    """Render a PromQL template about one SLO; `values` are the same for all SLOs of its shape."""
    return fill(expression_shape(template, **values), identity)


def expression_shape(template: str, /, **values: object) -> str:
    """Render a PromQL template about one SLO, without its names."""
    return _shape(render_expression, template, tuple(values.items()))


def tenant_expression(template: str, tenant: str, /, **values: object) -> str:
    """Render a PromQL template about all SLOs of a tenant; tenants of one shape share it."""
    shape = _shape(_of_tenant, template, tuple(values.items()))
    return shape.replace(PLACEHOLDER.tenant, tenant)


def annotation(template: str, identity: Identity, /, **values: object) -> str:
    """Render an annotation about one SLO; `values` are the same for all SLOs of its shape."""
    return fill(_shape(_line, f"annotation/{template}.j2", tuple(values.items())), identity)


def query_expression(template: str, identity: Identity, query: str, /, **values: object) -> str:
    """Render a PromQL template about one SLO around a query of its own."""
    if "\n" in query:  # it is indented, line by line
        return render_expression(template, id=identity, query=query, **values)
    shape = expression_shape(template, query=_QUERY, **values)
    return fill(shape, identity).replace(_QUERY, query)


def _of_tenant(template: str, /, id: Identity, **values: object) -> str:  # noqa: A002  (as in templates)
    return render_expression(template, tenant=id.tenant, **values)


def _line(template: str, /, **values: object) -> str:
    return render(template, **values).strip()


@lru_cache(maxsize=8_192)
def _shape(
    renderer: Callable[..., str], template: str, values: tuple[tuple[str, object], ...]
) -> str:
    return renderer(template, id=PLACEHOLDER, **dict(values))
