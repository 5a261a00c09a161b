"""From a container's spec to the process that is started for it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from embedded.client import ApiError, Json, Unreachable
from embedded.images.model import Image, find
from embedded.node.context import NodeContext
from embedded.node.pods.environment import (
    ConfigMissingError,
    argv_of,
    build_environment,
    expand,
)
from embedded.node.pods.fields import FieldError, PodFacts
from embedded.node.pods.files import hostname_of, network_binds
from embedded.node.pods.shared import SharedProcesses
from embedded.node.pods.users import (
    User,
    UserError,
    capabilities_of,
    ownership_of,
    require_there,
    user_of,
)
from embedded.node.volumes.manager import MountError, PodVolumes
from embedded.node.volumes.ownership import Ownership
from embedded.runtime import model

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LaunchError(Exception):
    """A container cannot be started now. `reason` is what its state says; the text says why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class PodSetup:
    """The resources of a Pod that its containers share."""

    sandbox: model.Sandbox
    volumes: PodVolumes
    facts: PodFacts
    directory: Path
    processes: SharedProcesses | None = None
    """Of a Pod whose containers share theirs."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """All that a container's process is started with, but for its root and streams."""

    image: Image
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str
    user: User
    capabilities: tuple[model.Capability, ...]
    read_only_root: bool
    binds: tuple[model.Bind, ...] = field(default=())
    processes: SharedProcesses | None = None
    """Those of the Pod, where it runs among them."""

    def spec(
        self, sandbox: model.Sandbox, root: model.Root, streams: model.Streams
    ) -> model.ProcessSpec:
        """Return it as the runtime takes it."""
        return model.ProcessSpec(
            sandbox=sandbox,
            root=root,
            argv=self.argv,
            env=self.environment,
            cwd=self.cwd,
            uid=self.user.uid,
            gid=self.user.gid,
            groups=self.user.groups,
            capabilities=self.capabilities,
            binds=self.binds,
            read_only_root=self.read_only_root,
            streams=streams,
        )


def image_for(node: NodeContext, reference: str) -> Image:
    """Return the image for a reference. Raises LaunchError."""
    image = find(node.config.images, reference)
    if image is None:
        raise LaunchError(
            "ErrImagePull",
            f'Failed to pull image "{reference}": not found: no row of the image table '
            "of the embedded platform matches this reference",
        )
    if not image.answers(reference):
        raise LaunchError(
            "ErrImagePull",
            f'Failed to pull image "{reference}": not found: '
            f"{image.recipe} has the digest {image.digest}",
        )
    return image


def containers_of(pod: Json) -> list[Json]:
    """Return all containers of a Pod, init containers first."""
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]


def images_of(node: NodeContext, pod: Json) -> list[Image]:
    """Return the images of a Pod's containers, and then all others of the table, each once."""
    own = [find(node.config.images, container["image"]) for container in containers_of(pod)]
    known = [image for image in (*own, *(rule.image for rule in node.config.images)) if image]
    return list({image.digest: image for image in known}.values())


def volume_owners(node: NodeContext, pod: Json) -> Ownership:
    """Return the owners of a Pod's volumes."""
    users = []
    for container in containers_of(pod):
        # One that cannot start says why when it is to.
        with suppress(LaunchError, UserError):
            users.append(user_of(pod, container, image_for(node, container["image"])))
    return ownership_of(pod, users, node.runtime.users)


async def prepare(node: NodeContext, pod: Json, container: Json, setup: PodSetup) -> Launch:
    """Work out how `container` is started. Raises LaunchError."""
    image = image_for(node, container["image"])
    try:
        user = user_of(pod, container, image)
        require_there(user, node.runtime.users)
        given = await build_environment(pod, container, image.config, setup.facts, node)
        environment = _base_environment(node, pod, image) | given
        binds = setup.volumes.binds(container, environment)
        last_words = _termination_log(container, setup)
    except (OSError, ApiError, Unreachable) as error:
        raise LaunchError("CreateContainerError", str(error)) from error
    except (ConfigMissingError, FieldError, MountError, UserError) as error:
        raise LaunchError("CreateContainerConfigError", str(error)) from error
    argv = argv_of(container, image.config, environment)
    if not argv:
        raise LaunchError("CreateContainerError", "no command specified")
    processes = setup.processes
    several = node.runtime.users.several
    if (
        processes is not None
        and not several
        and (user.uid, user.gid) not in _sharing_users(node, pod)
    ):
        # An init container of another user: it has ended before the others start.
        processes = None
    return Launch(
        image=image,
        argv=tuple(argv),
        environment=environment,
        cwd=expand(container.get("workingDir") or image.config.cwd, environment),
        user=user,
        capabilities=capabilities_of(container, user) if several else (),
        read_only_root=bool((container.get("securityContext") or {}).get("readOnlyRootFilesystem")),
        binds=(*network_binds(setup.directory), *binds, last_words),
        processes=processes,
    )


def termination_file(container: Json, setup: PodSetup) -> Path:
    """Return where the node sees what the container writes as its last words."""
    return setup.directory / f"termination-{container['name']}"


def _termination_log(container: Json, setup: PodSetup) -> model.Bind:
    path = termination_file(container, setup)
    path.write_bytes(b"")
    path.chmod(0o666)
    target = container.get("terminationMessagePath") or "/dev/termination-log"
    return model.Bind(source=path, target=target)


def _base_environment(node: NodeContext, pod: Json, image: Image) -> dict[str, str]:
    """Return what every container gets: the image's and the Pod's own go over it."""
    host, port = node.objects.api_service()
    environment = {
        "PATH": _PATH,
        "HOSTNAME": hostname_of(pod),
        "HOME": "/",
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_SERVICE_PORT_HTTPS": port,
        "KUBERNETES_PORT": f"tcp://{host}:{port}",
    }
    return environment | dict(image.config.env)


def _sharing_users(node: NodeContext, pod: Json) -> Container[tuple[int, int]]:
    """Return the user of the containers that share processes, which must be one here.

    Those are all but the init containers that end before others start. Raises LaunchError.
    """
    users: dict[tuple[int, int], str] = {}
    first = pod["spec"].get("initContainers") or []
    sidecars = [each for each in first if each.get("restartPolicy") == "Always"]
    for container in (*sidecars, *pod["spec"]["containers"]):
        # One that cannot start for a reason of its own says that itself.
        with suppress(LaunchError, UserError):
            user = user_of(pod, container, image_for(node, container["image"]))
            users.setdefault((user.uid, user.gid), container["name"])
    if len(users) > 1:
        asked = ", ".join(f"{name}: {uid}:{gid}" for (uid, gid), name in users.items())
        raise LaunchError(
            "CreateContainerError",
            "with shareProcessNamespace all containers have one user on the embedded platform, and "
            f"these differ in runAsUser:runAsGroup or their image's USER ({asked}): set both in "
            "the Pod's securityContext",
        )
    return users
