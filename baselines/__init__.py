"""The competitors: one folder a method, all of them behind `baselines.interface.Method`."""
