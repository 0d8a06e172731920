# What findings about personal data have in common: what is held, and where that is declared.
package lib.personal


said(told) := substring(concat(" and ", told.data), 0, -1)

place(told) := told.declared.path if told.own

place(told) := ["metadata", "name"] if not told.own
