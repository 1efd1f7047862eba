"""Networks, objectives and one readable file per model family. No Qt, no data sources."""
