"""How policies are found, read, evaluated and waived."""
