"""A Deployment on the cluster of `conftest.py`."""

from pathlib import Path

from kubernetes import client, utils, watch

MANIFEST = Path(__file__).with_name("web.yaml")
SECONDS = 60


def test_both_replicas_become_available(api: client.ApiClient) -> None:
    """Each serves the page that its readiness probe asks for."""
    utils.create_from_yaml(api, str(MANIFEST), namespace="default")
    deployments = client.AppsV1Api(api)
    for event in watch.Watch().stream(
        deployments.list_namespaced_deployment, "default", timeout_seconds=SECONDS
    ):
        if event["object"].status.available_replicas == 2:
            return
    raise AssertionError(f"not available within {SECONDS} s: {event['object'].status}")
