"""latentlab: train VAE-family models and explore them live."""
