"""The smallest honest chat platform, for tests and benches: a chat server pushes events to us and takes posts."""
