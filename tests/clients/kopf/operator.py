"""An operator as Kopf's users write it: causes, a retry, a child, a timer, an index, a finalizer."""

import datetime

import kopf
import kubernetes

GROUP, VERSION, PLURAL = "clients.example.com", "v1", "sprockets"
KIND = (GROUP, VERSION, PLURAL)


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_):
    settings.persistence.finalizer = f"{GROUP}/kopf"
    settings.posting.enabled = True
    kubernetes.config.load_kube_config()


@kopf.on.create(*KIND)
def create(spec, name, namespace, retry, patch, body, **_):
    if retry == 0:
        # Makes Kopf keep its progress on the object and come back to it.
        raise kopf.TemporaryError("not yet", delay=0.2)
    child = {"metadata": {"name": name, "labels": {"sprocket": "yes"}}, "data": {"teeth": str(spec["teeth"])}}
    kopf.adopt(child)
    kubernetes.client.CoreV1Api().create_namespaced_config_map(namespace, child)
    kopf.event(body, type="Normal", reason="Made", message="the child is there")
    patch.status["phase"] = "Created"
    return {"retries": retry}


@kopf.on.update(*KIND, field="spec.teeth")
def update(old, new, name, namespace, patch, **_):
    change = {"data": {"teeth": str(new)}}
    kubernetes.client.CoreV1Api().patch_namespaced_config_map(name, namespace, change)
    patch.status["phase"] = f"Changed from {old} to {new}"


@kopf.on.delete(*KIND)
def delete(name, namespace, **_):
    note = {"metadata": {"name": f"farewell-{name}"}}
    kubernetes.client.CoreV1Api().create_namespaced_config_map(namespace, note)


@kopf.index("configmaps", labels={"sprocket": "yes"})
def children(name, **_):
    return {name: 1}


@kopf.timer(*KIND, interval=0.2, initial_delay=0.2)
def tick(name, children: kopf.Index, patch, status, **_):
    patch.status["ticks"] = status.get("ticks", 0) + 1
    patch.status["indexed"] = name in children
    patch.status["tickedAt"] = datetime.datetime.now(datetime.timezone.utc).isoformat()
