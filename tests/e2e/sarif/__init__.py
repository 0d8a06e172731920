"""The validator of SARIF that the e2e tests run."""
