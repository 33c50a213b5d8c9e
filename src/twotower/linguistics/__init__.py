"""What each tower knows."""
