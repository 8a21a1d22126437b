"""Einsum networks: the engine under RAT-SPN and PD-SPN.

`region_graph` says which sets of pixels are split into which, `leaves` and `families` what is known
of a single pixel; `circuit` turns both into tensors and evaluates them, `learning` fits them,
`sampling` draws from them, `cost` says beforehand what they need, and `method` wraps it all in the
contract of `baselines.interface`. No autograd is used anywhere.

Reference: Peharz et al., "Einsum networks: fast and scalable learning of tractable probabilistic
circuits", ICML 2020.
"""
