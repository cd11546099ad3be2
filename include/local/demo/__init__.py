"""`make demo`: the real data, the main job on it, a chart, and the comparison with the source."""
