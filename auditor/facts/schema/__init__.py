"""What the API of Kubernetes takes: the fields of its kinds and their types, version by version.

`types.json.gz` holds the structure of the published OpenAPI definitions and nothing else of them;
`derive` makes it.
"""
