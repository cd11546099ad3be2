"""All that speaks to the object store."""
