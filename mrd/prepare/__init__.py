"""Events to cells on a common scale: quality, compensation, transform, gates. Pure functions; opens no file."""
