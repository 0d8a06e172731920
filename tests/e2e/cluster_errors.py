"""What can go wrong with a test cluster. Imports nothing.

* ClusterError      it did not start, or not become what was waited for: the test fails
  + RefusedError    the API server (or kubectl) said no; the text is its own words
* NoClusterError    this machine has no such cluster to offer: the test is skipped (in CI: fails)
"""


class ClusterError(Exception):
    """A cluster that should be there did not do its part."""


class RefusedError(ClusterError):
    """The API server or kubectl said no. The text is what it said."""


class NoClusterError(Exception):
    """Nothing here can serve this test. The text says what would."""
