"""From resolved manifests to the plan: which rules and routes exist, with what in them."""
