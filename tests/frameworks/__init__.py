"""Catalogues of controls, and what an audit is evidence of."""
