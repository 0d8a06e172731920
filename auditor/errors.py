"""What can go wrong for the person at the keyboard, as one tree.

* AuditorError             exit code 2 unless said otherwise
  + UsageError             a flag or an argument makes no sense
  + ConfigError            a configuration, waiver or baseline file is wrong
  + PolicyError            a policy file is wrong (METADATA or Rego)
  + NothingToAuditError    exit code 3: nothing was found where we were told to look
  + ClusterError           the cluster could not be reached at all
  + SnapshotError          a saved snapshot cannot be read
  + WriteError             a report or a fix could not be written; what was found stands

Whatever is wrong with a single file or list that was to be audited is no error but a ``Gap``.
"""


class AuditorError(Exception):
    """Its text says what happened, to which object or file, and what to do next."""

    headline = "fatal: no audit was performed"
    """What it means for the person at the keyboard."""
    exit_code = 2


class UsageError(AuditorError):
    """A flag or an argument makes no sense."""


class ConfigError(AuditorError):
    """A configuration, waiver or baseline file is wrong."""


class PolicyError(AuditorError):
    """A policy file is wrong. The text names the file and, where known, line and column."""


class NothingToAuditError(AuditorError):
    """Nothing was found; the text says where we looked."""

    exit_code = 3


class ClusterError(AuditorError):
    """The cluster could not be reached at all, or its configuration could not be read."""


class SnapshotError(AuditorError):
    """A saved snapshot is none, of another version, cut off or damaged; half of one is none."""


class WriteError(AuditorError):
    """A report or a fix could not be written. No file was written by halves."""

    headline = "error: could not write"
