"""Who may do what, and who comes to more, for people and for programs."""
