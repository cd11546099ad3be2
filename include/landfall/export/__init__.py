"""The way out: a query's result from Postgres as one S3 object, in constant memory."""
