"""What the watched cluster costs in memory: resident megabytes of a process that holds it.

``python benchmarks/memory.py [PODS…]`` (2,000 and 10,000 without one) fills a process with so many
pods as a live cluster has them, with their ReplicaSets, Deployments, Services and ConfigMaps, each
as the API server sends it: managed fields, status and all. Told are the megabytes before and after,
and what is left per object. The bar: 150 MB for the whole process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BAR = 150
REPLICAS = 4
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def _letters(number: int) -> str:
    """The random end of a name that controllers give."""
    digits = []
    for _ in range(5):
        number, digit = divmod(number * 7919 + 13, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def _managed(manager: str, fields: int) -> list[dict[str, Any]]:
    inside: dict[str, Any] = {f"f:field{n}": {".": {}, "f:value": {}} for n in range(fields)}
    return [
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-11-01T10:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": inside, "f:status": inside},
        }
    ]


def _metadata(name: str, app: int, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": f"team{app % 40}",
        "uid": f"{abs(hash(name)):032x}"[:36],
        "resourceVersion": str(100_000 + app),
        "generation": 1,
        "creationTimestamp": "2026-11-01T10:00:00Z",
        "labels": {
            "app.kubernetes.io/name": f"app{app}",
            "app.kubernetes.io/part-of": f"product{app % 10}",
            "pod-template-hash": _letters(app) * 2,
        },
        "annotations": {"checksum/config": f"{app:064x}"},
        "managedFields": _managed("kube-controller-manager", 40),
        **more,
    }


def _template(app: int, token: str = "") -> dict[str, Any]:
    def container(name: str, image: str) -> dict[str, Any]:
        mounts = [{"name": "config", "mountPath": "/etc/app", "readOnly": True}]
        if token:
            path = "/var/run/secrets/kubernetes.io/serviceaccount"
            mounts.append({"name": token, "mountPath": path, "readOnly": True})
        return {
            "name": name,
            "image": image,
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "env": [
                {"name": "NEXT_URL", "value": f"http://app{app + 40}.team{app % 40}:8080"},
                {"name": "LOG_LEVEL", "value": "info"},
                {
                    "name": "DB_PASSWORD",
                    "valueFrom": {"secretKeyRef": {"name": f"db{app}", "key": "password"}},
                },
            ],
            "resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"memory": "256Mi"},
            },
            "livenessProbe": {
                "httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
                "periodSeconds": 10,
                "timeoutSeconds": 1,
                "failureThreshold": 3,
                "successThreshold": 1,
            },
            "volumeMounts": mounts,
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }

    volumes: list[dict[str, Any]] = [{"name": "config", "configMap": {"name": f"config{app}"}}]
    if token:
        sources = [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {
                "configMap": {
                    "name": "kube-root-ca.crt",
                    "items": [{"key": "ca.crt", "path": "ca.crt"}],
                }
            },
        ]
        volumes.append({"name": token, "projected": {"sources": sources, "defaultMode": 420}})
    return {
        "containers": [
            container("app", f"registry.example/app{app}:1.2.3"),
            container("sidecar", "registry.example/proxy:4.5.6"),
        ],
        "volumes": volumes,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": f"app{app}",
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "schedulerName": "default-scheduler",
    }


def _pod(app: int, replica: int) -> dict[str, Any]:
    end = _letters(app * REPLICAS + replica)
    name = f"app{app}-{_letters(app) * 2}-{end}"
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"app{app}-{_letters(app) * 2}",
        "uid": f"{app:032x}",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    spec = {
        **_template(app, f"kube-api-access-{end}"),
        "nodeName": f"node{(app + replica) % 100}",
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{why}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for why in ("not-ready", "unreachable")
        ],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }
    ready = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    states = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": f"{container['image']}@sha256:{app:064x}",
            "containerID": f"containerd://{app * 31 + replica:064x}",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "lastState": {},
            "state": {"running": {"startedAt": "2026-11-01T10:00:07Z"}},
            "allocatedResources": container["resources"]["requests"],
            "resources": container["resources"],
        }
        for container in spec["containers"]
    ]
    address = f"10.{app % 200}.{app // 200}.{replica + 1}"
    status = {
        "phase": "Running",
        "conditions": [
            {
                "type": kind,
                "status": "True",
                "lastProbeTime": None,
                "lastTransitionTime": "2026-11-01T10:00:07Z",
            }
            for kind in ready
        ],
        "hostIP": f"192.168.0.{(app + replica) % 100}",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": "2026-11-01T10:00:00Z",
        "containerStatuses": states,
        "qosClass": "Burstable",
    }
    return {
        "metadata": _metadata(name, app, ownerReferences=[owner]),
        "spec": spec,
        "status": status,
    }


def _keeper(app: int, name: str) -> dict[str, Any]:
    labels = {"matchLabels": {"app.kubernetes.io/name": f"app{app}"}}
    template = {"metadata": {"labels": labels["matchLabels"]}, "spec": _template(app)}
    return {
        "metadata": _metadata(name, app),
        "spec": {"replicas": REPLICAS, "selector": labels, "template": template},
        "status": {"replicas": REPLICAS, "readyReplicas": REPLICAS, "observedGeneration": 1},
    }


def objects(pods: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and object, as a list of the API server has them."""
    for app in range(pods // REPLICAS):
        yield "Deployment", _keeper(app, f"app{app}")
        yield "ReplicaSet", _keeper(app, f"app{app}-{_letters(app) * 2}")
        yield from (("Pod", _pod(app, replica)) for replica in range(REPLICAS))
        ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
        spec = {"selector": {"app.kubernetes.io/name": f"app{app}"}, "ports": ports}
        yield "Service", {"metadata": _metadata(f"app{app}", app), "spec": spec, "status": {}}
        data = {"app.properties": "\n".join(f"key{n}=value {n} of {app}" for n in range(60))}
        yield "ConfigMap", {"metadata": _metadata(f"config{app}", app), "data": data}


def resident() -> float:
    """Megabytes of this process."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("this system does not tell")


def fill(pods: int) -> tuple[int, float, float]:
    """Hold so many pods and what belongs to them; how many objects that is, and the megabytes
    before and after.
    """
    import gc

    import orjson

    from auditor.facts.kept import Keep
    from auditor.sources.cluster import live_resource
    from auditor.sources.kinds import KINDS
    from auditor.sources.watch.shared import Shared

    kinds = {kind.kind: kind for kind in KINDS if kind.group in {"", "apps"}}
    keep, shared, held = Keep(), Shared(), []
    before = resident()
    for kind, item in objects(pods):
        sent = orjson.loads(orjson.dumps(item))
        held.append(shared.resource(keep(live_resource(kinds[kind], sent))))
    gc.collect()
    return len(held), before, resident()


def main() -> None:
    """Measure each size in a process of its own."""
    if sys.argv[1:2] == ["--one"]:
        count, before, after = fill(int(sys.argv[2]))
        each = (after - before) * 1e6 / count
        told = f"{count} objects, {before:.0f} MB before, {after:.0f} MB after (bar {BAR})"
        print(f"{sys.argv[2]} pods: {told}, {each:.0f} bytes each")
        return
    for pods in sys.argv[1:] or ("2000", "10000"):
        subprocess.run([sys.executable, __file__, "--one", pods], check=True)


if __name__ == "__main__":
    main()
