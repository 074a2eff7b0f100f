"""What the HTML page is made of."""
