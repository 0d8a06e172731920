module auditor/tests/e2e/crds

go 1.25

require (
	istio.io/api v1.31.4
	sigs.k8s.io/gateway-api v1.6.3
	sigs.k8s.io/network-policy-api v0.2.0
)
