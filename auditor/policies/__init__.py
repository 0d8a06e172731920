"""Where policies come from and what evaluates them."""
