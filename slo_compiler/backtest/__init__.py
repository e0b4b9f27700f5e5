"""What alerts would have fired over real history: fetched, evaluated again, and compared."""
