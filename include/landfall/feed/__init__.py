"""What a feed's owner writes, read and validated."""
