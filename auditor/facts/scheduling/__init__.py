"""What is wrong with where pods may run: rules without effect, and what one loss takes along.

`demand` says how many pods there are to be, `where` on which nodes and in which domains they
stand, `losing` what becomes of them when a domain is lost, `ceilings` what stands in the way of
more of them; `spreading`, `terms` and `choices` judge the rules as they are written.

Each fact is a mapping from the name of a fault to the list of its cases. A case says `path` and
`anchor`, what its message needs, and perhaps `severity`, `evidence` and the `patch` of a fix.
"""
