"""The report service on this machine: API, worker, beat, Flower and Redis."""
