"""The way out: a query's result from Postgres to one object in S3."""
