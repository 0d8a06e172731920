# How policies put words together.
package lib.text

# The parts with `between` between them, to be used inside sprintf. There regopy writes what concat
# itself gives with quotes around it; a substring it writes as it is.
joined(between, parts) := substring(concat(between, parts), 0, -1)
