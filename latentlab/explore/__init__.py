"""Looking into a trained model: decode, encode, walk and export. No Qt here."""
