"""All that speaks to the object store: clients, listings, reading and writing objects, errors."""
