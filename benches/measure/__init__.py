"""What the measuring scripts have in common."""
