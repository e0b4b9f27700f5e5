"""From documents to validated models: each value keeps its place in the text."""
