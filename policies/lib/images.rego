# References to images, read as the container runtime reads them: [registry/]path[:tag][@digest].
# Rules: https://pkg.go.dev/github.com/distribution/reference and, for what is not written, the
# defaults of Kubernetes: https://kubernetes.io/docs/concepts/containers/images/
#
# Other modules are called by their whole name here: regorus loses the name that an import gives
# when a function is called from a policy that has used a rule of the same module before.
package lib.images

# Every image that a pod needs, with its place: those of its containers, then those that it mounts
# as volumes.
all := array.concat(of_containers, of_volumes)

# The same without ephemeral containers: they are started once, cannot be changed, and never again.
lasting := [image | some image in all; image.list != "ephemeralContainers"]

of_containers := [image |
	some container in data.lib.workload.containers
	text := container.spec.image
	is_reference(text)
	image := {
		"text": text,
		"list": container.list,
		"kind": "container",
		"name": data.lib.workload.name(container),
		"path": array.concat(container.path, ["image"]),
		"policy": object.get(container.spec, "imagePullPolicy", ""),
		"policy_path": array.concat(container.path, ["imagePullPolicy"]),
	}
]

of_volumes := [image | some image in mounted]

mounted contains image if {
	input.kubernetes >= 131
	some index, volume in data.lib.workload.volumes
	text := volume.image.reference
	is_reference(text)
	path := array.concat(data.lib.workload.pod_path, ["volumes", index, "image"])
	image := {
		"text": text,
		"list": "volumes",
		"kind": "volume",
		"name": data.lib.workload.named(volume, "volumes"),
		"path": array.concat(path, ["reference"]),
		"policy": object.get(volume.image, "pullPolicy", ""),
		"policy_path": array.concat(path, ["pullPolicy"]),
	}
}

who(image) := sprintf("%s '%s'", [image.kind, image.name])

anchor(image) := image.name if image.kind == "container"

anchor(image) := sprintf("volumes/%s", [image.name]) if image.kind == "volume"

# What is no text, or empty, the API server refuses; Istio puts its own image in the place of "auto".
is_reference(text) if {
	is_string(text)
	text != ""
	not is_placeholder(text)
}

is_placeholder(text) if {
	text == "auto"
	"inject.istio.io/templates" in object.keys(data.lib.workload.annotations)
}

# A single word that Docker Hub does not have, and nothing said of how to get it: a build, as that of
# Skaffold or Kustomize, puts an image in its place. What runs in a cluster has a pull policy.
is_left_to_build(image) if {
	is_bare(image.text)
	image.policy == ""
	not contains(image.text, "/")
	not image.text in data.lib.official_images.names
}

before_digest(text) := split(text, "@")[0]

digest(text) := data.lib.text.joined("@", array.slice(split(text, "@"), 1, 1000))

# The runtime refuses a digest of another length: such a reference names no image.
is_pinned(text) if regex.match(
	`^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$`,
	digest(text),
)

# The tag as it is written; empty where there is none. A colon before a slash is that of a port.
tag(text) := data.lib.text.joined(":", array.slice(split(last(text), ":"), 1, 1000))

last(text) := parts[count(parts) - 1] if parts := split(before_digest(text), "/")

# Whether "latest" is asked for, which is so where neither a tag nor a digest is written.
asks_latest(text) if endswith(before_digest(text), ":latest")

asks_latest(text) if is_bare(text)

is_bare(text) if not regex.match(`(@|:[^/]*$)`, text)

# The whole name without tag and digest, as it is meant: what names no registry is of docker.io, and
# what has one word there is of its library.
name(text) := sprintf("%s/%s", [registry(text), path(text)])

registry(text) := first(text) if is_elsewhere(text)

registry(text) := "docker.io" if not is_elsewhere(text)

path(text) := after_registry(text) if not is_of_library(text)

path(text) := sprintf("library/%s", [after_registry(text)]) if is_of_library(text)

# The path alone, as it is written: "team/app", and "app" of a single word.
repository(text) := after_registry(text)

is_of_library(text) if {
	not is_elsewhere(text)
	not contains(after_registry(text), "/")
}

is_elsewhere(text) if {
	has_registry(text)
	not first(text) in {"docker.io", "index.docker.io"}
}

after_registry(text) := trim_prefix(without_tag(text), sprintf("%s/", [first(text)])) if has_registry(text)

after_registry(text) := without_tag(text) if not has_registry(text)

without_tag(text) := trim_suffix(before_digest(text), sprintf(":%s", [tag(text)]))

first(text) := split(before_digest(text), "/")[0]

# What stands before the first slash is a registry if it looks like a host.
has_registry(text) if {
	contains(before_digest(text), "/")
	looks_like_host(first(text))
}

looks_like_host(word) if word == "localhost"

looks_like_host(word) if contains(word, ".")

looks_like_host(word) if contains(word, ":")

looks_like_host(word) if word != lower(word)
