module auditor/tests/e2e/crds

go 1.26.0

require (
	github.com/kyverno/kyverno v1.13.4
	github.com/openreports/reports-api v0.2.1
	github.com/openshift/api v0.0.0-20250710004639-926605d3338b
	istio.io/api v1.31.4
	sigs.k8s.io/gateway-api v1.6.3
	sigs.k8s.io/network-policy-api v0.2.0
)
