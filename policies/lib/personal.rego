# What findings about personal data have in common: what is held, and where that is declared.
package lib.personal

said(told) := substring(concat(" and ", told.data), 0, -1)

place(told) := told.declared.path if told.own

place(told) := ["metadata", "name"] if not told.own

and_more(owners) := "" if count(owners) == 1

and_more(owners) := ", and one more like it" if count(owners) == 2

and_more(owners) := sprintf(", and %d more like it", [count(owners) - 1]) if count(owners) > 2
