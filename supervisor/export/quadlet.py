"""Quadlets, podman-systemd.unit(5): one container a service, in which portsup runs it."""

from collections.abc import Iterator

from supervisor.config.spec import Condition, ServiceSpec, StackSpec
from supervisor.core.address import LOOPBACK
from supervisor.core.order import GOES_ON_WITHOUT
from supervisor.export.addresses import EVERYWHERE, Addresses
from supervisor.export.alone import FILE, FOLDER, is_over, services_yaml
from supervisor.export.model import Export, File, Secret, Wishes
from supervisor.export.stopping import stop_time
from supervisor.export.table.fates import has_group_alone
from supervisor.export.unit_text import command, plain, word
from supervisor.export.veil import Veiled


def export(stack: StackSpec, hidden: Veiled, selected: tuple[str, ...], wishes: Wishes) -> Export:
    """The containers of a stack, the network that they share, and the services.yaml that each of them reads."""
    addresses = Addresses.of(hidden.services, lambda name: f"{stack.name}-{name}")
    files = [File(f"{stack.name}.network", f"[Network]\nNetworkName={stack.name}\n")]
    for name, spec in hidden.services.items():
        secrets = hidden.secrets[name]
        lines = list(_container(stack, spec, secrets, name in selected, wishes))
        files.append(File(f"{stack.name}-{name}.container", "\n".join(lines) + "\n"))
        config = services_yaml(stack, spec, secrets, addresses, wishes, has_group_alone(spec))
        files.append(File(f"{stack.name}-{name}.services.yaml", config))
    needed = {secret.key: secret for found in hidden.secrets.values() for secret in found if secret.needed}
    place = "/etc/containers/systemd" if wishes.is_system else "~/.config/containers/systemd"
    own = "systemctl" if wishes.is_system else "systemctl --user"
    created = [f"podman secret create {_secret(stack, key)} -   # reads the value from its input" for key in needed]
    steps = [f"put the files into {place}", *created, f"{own} daemon-reload"]
    if selected:
        steps.append(f"{own} start {' '.join(f'{stack.name}-{name}' for name in selected)}")
    return Export(tuple(files), (), tuple(each for found in hidden.secrets.values() for each in found), tuple(steps))


def _secret(stack: StackSpec, key: str) -> str:
    return f"{stack.name}-{key}"


def _container(
    stack: StackSpec, spec: ServiceSpec, secrets: tuple[Secret, ...], starts: bool, wishes: Wishes
) -> Iterator[str]:
    name = f"{stack.name}-{spec.name}"
    described = " ".join(spec.description.split()) if spec.description.isprintable() else ""
    yield "[Unit]"
    yield f"Description={plain(described or f'{stack.name}: {spec.name}')}"
    required = [f"{stack.name}-{need}.service" for need, how in spec.depends_on.items() if how not in GOES_ON_WITHOUT]
    wanted = [f"{stack.name}-{need}.service" for need, how in spec.depends_on.items() if how in GOES_ON_WITHOUT]
    after = [f"{stack.name}-{need}.service" for need, how in spec.depends_on.items() if how is not Condition.STARTED]
    for key, names in (("Requires", required), ("Wants", wanted), ("After", after)):
        if names:
            yield f"{key}={' '.join(names)}"
    yield ""
    yield "[Container]"
    yield f"Image={plain(wishes.image)}"
    yield f"ContainerName={plain(name)}"
    yield f"Network={stack.name}.network"
    if spec.pool:
        shared = spec.environment.get("HOST") in (EVERYWHERE, "::")
        yield f"PublishPort={'' if shared else f'{LOOPBACK}:'}{spec.pool[0]}:{spec.pool[0]}"
    yield f"Volume=./{name}.services.yaml:{FOLDER}/{FILE}:ro,Z"
    if spec.user:
        yield f"User={plain(spec.user)}"
    if spec.group and not has_group_alone(spec):  # podman-systemd.unit(5) takes both or none
        yield f"Group={plain(spec.group)}"
    for secret in secrets:
        if secret.needed:
            yield f"Secret={_secret(stack, secret.key)},type=env,target={secret.name}"
        else:
            yield f"# Secret={_secret(stack, secret.key)},type=env,target={secret.name}"
    yield f"Exec={command(['portsup', '-f', f'{FOLDER}/{FILE}', 'up', spec.name])}"
    if not is_over(spec):
        yield "# portsup sends READY=1 when the service is ready, so After= waits for that."
        yield "Notify=true"
    longest = stop_time(spec)
    yield f"PodmanArgs={word(f'--stop-timeout={longest:.0f}')}"
    yield ""
    yield "[Service]"
    if is_over(spec):
        yield "Type=oneshot"
        yield "RemainAfterExit=yes"
    else:
        yield "Restart=on-failure"
        yield "RestartSec=2"
        yield "# A mistake in the configuration does not fix itself, and a service that gave up is not restarted."
        yield "RestartPreventExitStatus=2 10 11"
    yield "# portsup limits the start of the service; the image may have to be pulled before."
    yield "TimeoutStartSec=infinity"
    yield f"TimeoutStopSec={longest + 5:.0f}"
    if starts:
        yield ""
        yield "[Install]"
        yield f"WantedBy={'multi-user.target' if wishes.is_system else 'default.target'}"
