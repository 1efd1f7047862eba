"""What ``latentlab evaluate`` computes: one module per family of the measures in ``latentlab.core.measures``."""
