"""What the registry does by itself: sweeping blobs that nothing reaches. Unaware of each other."""
