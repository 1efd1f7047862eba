"""Qt-free, torch-free ground: recipes, messages, buffers, mailboxes, paths and errors."""
