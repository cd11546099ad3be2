"""The report service on this machine."""
