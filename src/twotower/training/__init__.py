"""Windows to trained towers."""
