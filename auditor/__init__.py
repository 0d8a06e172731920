"""A Kubernetes security and compliance auditor that proves its fixes."""

__version__ = "0.1.0"
