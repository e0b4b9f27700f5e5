"""What users write: pydantic models of the manifests, and the way from documents to them."""
