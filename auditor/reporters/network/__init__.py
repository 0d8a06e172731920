"""Who reaches whom, in each form: for people, for programs, as a picture."""
