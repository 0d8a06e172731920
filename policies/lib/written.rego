# Fields as they are written: a key without a value is null, and stands for nothing.
package lib.written

# The list at a field, or at a path of fields; an empty one where there is none.
list(thing, field) := found if {
	is_object(thing)
	found := object.get(thing, field, [])
	is_array(found)
}

list(thing, field) := [] if {
	is_object(thing)
	not is_array(object.get(thing, field, []))
}

list(thing, _) := [] if not is_object(thing)

# How many entries a list or a mapping has; 0 of what is neither.
size(value) := count(value) if is_array(value)

size(value) := count(value) if is_object(value)

size(value) := 0 if {
	not is_array(value)
	not is_object(value)
}
