"""The domain: what a conversation, an answer and a guard are. No network, disk or clock in here."""
