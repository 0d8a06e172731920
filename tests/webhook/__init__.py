"""The webhook, from the review to the socket."""
