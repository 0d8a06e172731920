# What the programs of the control plane are started with, as their pods say it.
package lib.flags

import data.lib.text
import data.lib.workload

# The containers that run a program. What a shell starts is not seen, nor what a file says.
running(program) := [container |
	some container in workload.containers
	container.list == "containers"
	base(words(container)[0].text) == program
]

base(path) := substring(split(path, "/")[count(split(path, "/")) - 1], 0, -1)

# What is written of the command, with its places.
words(container) := array.concat(written(container, "command"), written(container, "args"))

written(container, field) := [word |
	is_array(object.get(container.spec, field, null))
	some index in places(container.spec[field])
	said := container.spec[field][index]
	is_string(said)
	word := {"path": array.concat(container.path, [field, index]), "text": said}
]

places(list) := numbers.range(0, count(list) - 1) if count(list) > 0

places(list) := [] if count(list) == 0

# What a flag is set to, once for each time: {"path": where the value stands, "before": what stands
# before it in the same word, "value": "false"}. A flag alone is true.
settings(container, name) := [setting |
	all := words(container)
	some index in places(all)
	some setting in [with_value(all[index], name), apart(all, index, name)]
	setting != null
]

with_value(word, name) := {"path": word.path, "before": text.joined("", ["--", name, "="]), "value": value} if {
	startswith(dashed(word.text), text.joined("", ["--", name, "="]))
	value := substring(word.text, count(name) + 3, -1)
}

with_value(word, name) := null if not startswith(dashed(word.text), text.joined("", ["--", name, "="]))

# To the programs an underscore in the name of a flag is a dash.
dashed(said) := replace(said, "_", "-")

apart(all, index, name) := null if dashed(all[index].text) != text.joined("", ["--", name])

apart(all, index, name) := found if {
	dashed(all[index].text) == text.joined("", ["--", name])
	found := beside(all[index], array.slice(all, index + 1, index + 2), name)
}

beside(_, after, _) := {"path": after[0].path, "before": "", "value": after[0].text} if is_value(after)

beside(word, after, name) := {"path": word.path, "before": text.joined("", ["--", name, "="]), "value": "true"} if {
	not is_value(after)
}

is_value(after) if {
	count(after) > 0
	not startswith(after[0].text, "-")
}

is_set(container, name) if value(container, name, "") != ""

# The last one holds; without any, what the program takes itself.
value(container, name, unset) := array.concat([said.value | some said in last(container, name)], [unset])[0]

# What Go takes for a boolean (strconv.ParseBool); with any other word the program does not start.
is_on(container, name, unset) if value(container, name, unset) in ["1", "t", "T", "TRUE", "true", "True"]

is_off(container, name, unset) if value(container, name, unset) in ["0", "f", "F", "FALSE", "false", "False"]

# The number that a flag is set to; -1 where it is not, or to something else.
number(container, name) := to_number(said) if {
	said := value(container, name, "")
	regex.match(`^[0-9]+$`, said)
}

number(container, name) := -1 if not regex.match(`^[0-9]+$`, value(container, name, ""))

# None, or one.
last(container, name) := array.slice(found, max([0, count(found) - 1]), count(found)) if {
	found := settings(container, name)
}

# The items of a flag that is a list.
items(container, name) := [trim_space(item) | some item in split(value(container, name, ""), ",")]

# A finding about a flag: at its value, else at the program.
told(container, name, message) := {
	"path": place(container, name),
	"anchor": name,
	"message": text.joined(" ", [base(words(container)[0].text), message]),
}

place(container, name) := setting.path if {
	some setting in last(container, name)
}

place(container, name) := words(container)[0].path if count(last(container, name)) == 0

# The remedy that sets a flag.
setting_to(container, name, value) := {
	"title": text.joined("", ["set --", name, "=", value]),
	"safety": "unsafe",
	"patch": patch(container, name, value),
}

patch(container, name, value) := [{"op": "replace", "path": setting.path, "value": full}] if {
	some setting in last(container, name)
	full := text.joined("", [setting.before, value])
}

patch(container, name, value) := [{"op": "add", "path": path, "value": text.joined("", ["--", name, "=", value])}] if {
	count(last(container, name)) == 0
	words_of := words(container)
	path := array.concat(array.slice(words_of[count(words_of) - 1].path, 0, count(container.path) + 1), ["-"])
}

# The remedy that takes an item out of a list, or adds one.
without_item(container, name, item) := setting_to(container, name, rest) if {
	rest := text.joined(",", [each | some each in items(container, name); each != item])
}

with_item(container, name, item) := setting_to(container, name, all) if {
	all := text.joined(",", [each | some each in array.concat(items(container, name), [item]); each != ""])
}

# The remedy that takes a flag away where it is set last.
without(container, name) := {
	"title": text.joined("", ["take --", name, " away"]),
	"safety": "unsafe",
	"patch": removal(last(container, name)[0].path, last(container, name)[0].before),
}

removal(path, before) := [{"op": "remove", "path": path}] if before != ""

# The value stands in a word of its own, after that of the flag.
removal(path, "") := [{"op": "remove", "path": path}, {"op": "remove", "path": flag}] if {
	end := count(path) - 1
	flag := array.concat(array.slice(path, 0, end), [path[end] - 1])
}
