# The names of images, without registry, tag and digest.
package lib.images

# "registry.example:5000/team/app:1.0.0@sha256:…" → "team/app", and "app" of a single name.
repository(image) := concat("/", array.concat(folders, [name])) if {
	parts := without_registry(split(without_digest(image), "/"))
	folders := array.slice(parts, 0, count(parts) - 1)
	name := without_tag(parts[count(parts) - 1])
}

without_digest(image) := parts[0] if parts := split(image, "@")

without_tag(name) := parts[0] if parts := split(name, ":")

without_registry(parts) := array.slice(parts, 1, count(parts)) if names_registry(parts)

without_registry(parts) := parts if not names_registry(parts)

# As container runtimes tell: the first of several parts, with a dot or a port, or localhost.
names_registry(parts) if {
	count(parts) > 1
	is_host(parts[0])
}

is_host(part) if contains(part, ".")

is_host(part) if contains(part, ":")

is_host(part) if part == "localhost"
