"""New arrivals of a feed: the sensor, its trigger, and the rule by which both wait."""
