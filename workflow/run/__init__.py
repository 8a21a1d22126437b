"""Starting a run, in its environment, and telling at its end what it lacks."""
