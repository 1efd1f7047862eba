"""Small windows that never block the training: details of an error, shortcuts, about."""
