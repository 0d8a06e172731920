"""Audits a cluster again whenever it changes: when (`rhythm`), by whom (`judge`), what is said of
it (`story`, `numbers`, `reports`), and who can ask (`serving`). `keeper` puts them together.
"""
