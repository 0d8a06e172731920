"""The floor under the webhook: policies as the API server itself can judge them, by CEL."""
