"""The benchmark suite: rules, the steps they call, and what the steps share."""
