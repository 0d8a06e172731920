# How policies on NetworkPolicies name what they find.
package lib.netpol

# The place of a rule as people count it: ingress rule 1.
rule(path) := sprintf("%s rule %d", [path[1], path[2] + 1])

# What the pods of each direction do.
pods_do(direction) := "its pods accept traffic from everybody" if direction == "Ingress"

pods_do(direction) := "its pods may send to everybody" if direction == "Egress"
