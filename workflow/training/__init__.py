"""Training and architectures: Figure 4, Tables IV to VI, diagrams."""
