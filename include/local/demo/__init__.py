"""The main job on this machine, from real files to a chart."""
