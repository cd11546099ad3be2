"""From frames to rows in the target, in one transaction. It knows neither S3 nor a file format."""
