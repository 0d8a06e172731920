"""Certificates: what was shown of a fix that decides where pods run or how they are replaced, in a
file from which anybody can show it again.

`state` is what of a cluster they hold, `levels` what is shown (P0 to P5), `numbers` the hops and
odds, `document` the file, `making` makes one of a finding's fix, `checking` shows it again.
"""
