"""Jobs of the public API."""
