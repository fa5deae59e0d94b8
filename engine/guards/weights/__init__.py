"""The classifier's weights and their model card."""
