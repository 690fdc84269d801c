"""What a user may change: one model for each section of the configuration."""
