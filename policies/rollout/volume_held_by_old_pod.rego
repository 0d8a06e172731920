# METADATA
# title: Volume that the old pod holds
# description: |
#   A claim with ReadWriteOnce is mounted by one node at a time, one with ReadWriteOncePod by one pod. An
#   update that starts the new pod before the old has gone waits for ever, unless the new one happens to
#   come to the same node. Recreate, or maxSurge 0, lets the old one go first. Where manifests are applied
#   server-side, the API server keeps the numbers that it once filled in and refuses Recreate beside them:
#   there `spec.strategy` has to be replaced once, as by a JSON patch, before the manifest is applied.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment]
#   facts: [update]
package policies.rollout.volume_held_by_old_pod

import data.lib.updates
import data.lib.workload

deny contains finding if {
	update := updates.update
	update.surge > 0
	update.unavailable == 0
	some volume in update.held
	finding := {
		"path": array.concat(workload.pod_path, ["volumes", volume.index]),
		"anchor": volume.name,
		"message": sprintf(
			"its new pod comes first, and may wait for ever for volume '%s', which %s mounts at a time",
			[volume.name, volume.who],
		),
		"fix": {
			"title": "let the old pod go first",
			"safety": "unsafe",
			"patch": updates.recreating,
		},
	}
}
