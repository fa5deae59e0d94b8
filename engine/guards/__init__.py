"""What may reach the model, and what the model may say."""
