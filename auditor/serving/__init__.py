"""What whoever serves needs: connections that nobody can hold for ever, log lines that hold nobody
up, and numbers as Prometheus reads them.
"""
