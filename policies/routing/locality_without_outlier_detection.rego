# METADATA
# title: Locality of the mesh without failover
# description: |
#   Istio sends requests to another locality only once it has taken the instances near by out of the
#   pool, and without outlierDetection it never does: requests keep going to instances that fail.
# related_resources:
#   - https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/failover/
#   - https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [DestinationRule]
#   admission: any
package policies.routing.locality_without_outlier_detection

deny contains finding if {
	startswith(input.object.apiVersion, "networking.istio.io/")
	policy := input.object.spec.trafficPolicy
	fails_over(policy.loadBalancer.localityLbSetting)
	not policy.outlierDetection
	finding := {
		"path": ["spec", "trafficPolicy", "loadBalancer", "localityLbSetting"],
		"anchor": input.object.spec.host,
		"message": "prefers a locality, and without outlierDetection never leaves instances that fail",
	}
}

# Weights alone are a plan of their own: they say how much goes where.
fails_over(setting) if {
	setting.enabled == true
	not setting.distribute
}

fails_over(setting) if {
	not setting.enabled == false
	some list in ["failover", "failoverPriority"]
	is_array(setting[list])
	count(setting[list]) > 0
}
