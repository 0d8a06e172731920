"""What turns an audit into a report."""
