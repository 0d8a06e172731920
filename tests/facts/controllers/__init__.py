"""The models of the controllers, on cases of our own."""
