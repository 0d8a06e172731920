"""What ConfigMaps say of the configuration of kubelets and of kube-proxy.

kubeadm and its like keep the files that nodes are given in ConfigMaps of kube-system: the keys and
forms are those of kubelet.config.k8s.io/v1beta1 and kubeproxy.config.k8s.io/v1alpha1. What a node
was started with besides stands on the node alone, and is not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from auditor.manifests import at, mapping
from auditor.model import Gap, Resource, Unseen

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

KEYS = {"KubeletConfiguration": "kubelet", "KubeProxyConfiguration": "config.conf"}
"""Kind of a configuration → the key that it stands under."""
FIELDS = (
    "authentication.anonymous.enabled", "authentication.x509.clientCAFile", "authorization.mode",
    "readOnlyPort", "streamingConnectionIdleTimeout", "protectKernelDefaults",
    "makeIPTablesUtilChains", "eventRecordQPS", "tlsCertFile", "tlsPrivateKeyFile",
    "serverTLSBootstrap", "rotateCertificates", "featureGates.RotateKubeletServerCertificate",
    "podPidsLimit", "tlsCipherSuites", "metricsBindAddress",
)  # fmt: skip
"""The fields that are read; no other is handed on."""


def component_config(facts: Facts, config_map: Resource) -> dict[str, Any] | None:
    """``{"kind": …, "key": the key of the data, "settings": {field: value}}`` of the fields that
    are scalars or lists of words; None where the ConfigMap holds no configuration.
    """
    if config_map.ref.namespace != "kube-system":
        return None
    data = mapping(config_map.manifest.get("data"))
    for kind, key in KEYS.items():
        if isinstance(text := data.get(key), str) and kind in text:
            try:
                written = mapping(yaml.load(text, Loader=yaml.CSafeLoader))
            except (yaml.YAMLError, ValueError, RecursionError) as error:
                facts.unknown(_unreadable(config_map, key, error))
                return None
            if written.get("kind") == kind:
                return {"kind": kind, "key": key, "settings": _settings(written)}
    return None


def _settings(written: Any) -> dict[str, Any]:
    found = {field: at(written, tuple(field.split("."))) for field in FIELDS}
    return {field: value for field, value in found.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, str | int | bool)


def _unreadable(config_map: Resource, key: str, error: Exception) -> Gap:
    said = " ".join(str(error).split())
    what = f"data.{key} of {config_map.ref}"
    return Gap(what, f"it is no YAML: {said}", Unseen.INCOMPLETE, ref=config_map.ref)
