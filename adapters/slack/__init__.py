"""Slack: events in, answers out, over slack-bolt and slack-sdk."""
