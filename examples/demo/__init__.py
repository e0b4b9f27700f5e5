"""The scene of `make demo`: traffic, servers, and a sink for the notifications."""
