"""The demo: starts every process on this machine, runs the main job through the daemon, proves the result."""
