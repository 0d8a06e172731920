# What findings about the rights of a role have in common: who holds them, where, and by which rule.
package lib.rights

told := input.facts.role_powers

# Of a role that gives everything, that alone is said.
gives(name) if {
	told.bound
	would_give(name)
}

# Also where nobody is bound to it yet.
would_give(name) if {
	told.everything == null
	told.powers[name]
}

where := sprintf(", %s", [told.where]) if told.where != ""

where := "" if told.where == ""

grade := {true: "medium", false: "low"}

finding(name, does) := {
	"path": path(told.powers[name]),
	"severity": grade[told.everywhere],
	"message": sprintf("lets %s %s%s (%s)", [told.holders, plain(does), where, plain(told.powers[name].rights)]),
	"evidence": told.bindings,
}

# What is in no namespace is only reached by who is bound everywhere.
everywhere(name, does) := {
	"path": path(told.powers[name]),
	"message": sprintf("lets %s %s (%s)", [told.holders, plain(does), plain(told.powers[name].rights)]),
	"evidence": told.bindings,
}

path(power) := ["rules", power.rule] if not told.aggregated

path(_) := ["aggregationRule"] if told.aggregated

# The binding without one of its subjects. One that is left without any gives nothing to anybody.
taken_from(who, index) := {
	"title": sprintf("take it from %s", [who]),
	"safety": "unsafe",
	"patch": [{"op": "remove", "path": ["subjects", index]}],
}

# Inside sprintf regopy puts quotes around what another package hands over.
plain(words) := substring(words, 0, -1)
