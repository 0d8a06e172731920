# What policies on namespaces have in common.
package lib.namespaces

# Made by Kubernetes for itself: names that begin so are kept for it.
is_system if startswith(input.object.metadata.name, "kube-")
