"""What the towers know of words: similarity, norms, and the views that instruments read."""
