# Amounts of resources: 500m, 1.5Gi, 2e3. https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource
package lib.quantities

factors := {
	"": 1,
	"n": 0.000000001,
	"u": 0.000001,
	"m": 0.001,
	"k": 1000,
	"M": 1000000,
	"G": 1000000000,
	"T": 1000000000000,
	"P": 1000000000000000,
	"E": 1000000000000000000,
	"Ki": 1024,
	"Mi": 1048576,
	"Gi": 1073741824,
	"Ti": 1099511627776,
	"Pi": 1125899906842624,
	"Ei": 1152921504606846976,
}

# The amount as a number; undefined for what is none in the usual form.
value(quantity) := quantity if is_number(quantity)

value(quantity) := 0 if quantity == null

value(quantity) := to_number(digits(quantity)) * factors[suffix(quantity)] if {
	is_string(quantity)
	regex.match(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([numkMGTPE]?|[KMGTPE]i)$`, quantity)
}

value(quantity) := to_number(quantity) if {
	is_string(quantity)
	regex.match(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?[eE][+-]?[0-9]{1,2}$`, quantity)
}

# Whether one is more than the other, by more than how numbers are rounded here.
is_more(one, other) if value(one) > value(other) * 1.000000001

suffix(quantity) := trim_left(quantity, "-.0123456789")

digits(quantity) := trim_suffix(quantity, suffix(quantity))
