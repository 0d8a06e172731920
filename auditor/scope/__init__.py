"""What of an audit is told, and on which object: the declared scope, the parts of the cluster
itself, and running pods that differ from their template.
"""
