"""What a feed's owner writes: read from YAML, validated, and never changed afterwards."""
