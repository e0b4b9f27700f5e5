"""What people read about a compile: explanations."""
