# What a configuration requires of labels and annotations, as `name` or as `name=pattern`.
package lib.required

name(wanted) := split(wanted, "=")[0]

# Whether one of those is there, with a value that the whole pattern matches; without any, one that
# is not empty.
has(given, wanted) if regex.match(pattern(wanted), given[name(wanted)])

pattern(wanted) := sprintf("^(%s)$", [substring(wanted, count(name(wanted)) + 1, -1)]) if name(wanted) != wanted

pattern(wanted) := "." if name(wanted) == wanted
