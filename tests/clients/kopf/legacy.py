"""An operator with everything that Kopf decides by itself: its finalizer, its annotations, its results in the status."""

import kopf
import kubernetes

KIND = ("legacy.example.com", "v1", "flanges")


@kopf.on.startup()
def configure(**_):
    kubernetes.config.load_kube_config()


@kopf.on.create(*KIND)
def create(spec, patch, **_):
    patch.status["phase"] = "MadeByKopf"
    return {"holes": spec["holes"]}


@kopf.on.update(*KIND)
def update(spec, patch, **_):
    patch.status["phase"] = f"ChangedByKopf to {spec['holes']}"


@kopf.on.delete(*KIND)
def delete(name, namespace, **_):
    note = {"metadata": {"name": f"farewell-of-kopf-{name}"}}
    kubernetes.client.CoreV1Api().create_namespaced_config_map(namespace, note)
