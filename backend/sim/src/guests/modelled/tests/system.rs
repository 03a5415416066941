//! Alpine: packages, services, Docker itself, addresses.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{VMID, World, spec};
use crate::faults::{Action, Rule};
use crate::guests::{Guests, Process};

#[tokio::test]
async fn the_environment_is_bare() {
    let world = World::new().await;
    let ran = world.exec(&["/usr/bin/env"], "").await;
    assert_eq!(ran.stdout.lines().count(), 2, "{ran:?}");
    assert_eq!(world.exec(&["no-such-program"], "").await.code, 127);
    assert_eq!(
        world.good("hostname; cat /etc/alpine-release; nproc").await,
        "notes\n3.23.2\n2\n"
    );
    world.bad("curl x", 127, "sh: curl: not found").await;
    world.bad("docker info", 127, "not found").await;
    assert_eq!(world.guests.exec(999, process()).await, 1);
}

fn process() -> Process {
    let (output, _) = mpsc::channel(1);
    let (_, stdin) = mpsc::channel(1);
    Process {
        argv: vec!["true".to_owned()],
        env: Vec::new(),
        stdin,
        output,
        killed: CancellationToken::new(),
    }
}

#[tokio::test]
async fn packages() {
    let world = World::new().await;
    world
        .bad("apk add nonsense", 1, "nonsense (no such package)")
        .await;
    world
        .bad(
            "apk add nonsense nowhere docker",
            2,
            "required by: world[nowhere]",
        )
        .await;
    world.bad("apk info -e docker", 1, "").await;
    let added = world.good("apk add docker docker-cli-compose").await;
    assert!(
        added.contains("(1/")
            && added.contains("Installing docker-openrc")
            && added.contains("OK: "),
        "{added}"
    );
    assert_eq!(
        world
            .good("apk info -e docker; command -v docker dockerd; cat /etc/apk/world")
            .await,
        "docker\n/usr/bin/docker\n/usr/bin/dockerd\nalpine-base\ndocker\ndocker-cli-compose\n"
    );
    assert!(
        world.good("apk add docker").await.starts_with("OK: "),
        "nothing is fetched for what is there"
    );

    world.fault("apk", Action::Fail);
    world
        .bad("apk update", 4, "temporary error (try again later)")
        .await;
    world
        .bad("apk add --no-cache git", 1, "git (no such package)")
        .await;
    assert_eq!(
        world.sh("apk add --no-cache docker").await.code,
        0,
        "what is installed needs no mirror"
    );
    world.fault_once("apk", Action::Fail);
    world
        .good("until apk update && apk add git; do sleep 2; done")
        .await;
}

#[tokio::test]
async fn a_template_without_community() {
    let world = World::with(spec("alpine-3.22-default_20250617_amd64.tar.xz"), &[]).await;
    world
        .bad("apk add --no-cache docker", 1, "docker (no such package)")
        .await;
    world.good("sed -n 's|/main$|/community|p' /etc/apk/repositories >> /etc/apk/repositories; apk update && apk add docker").await;
    world
        .good("echo http://mirror/alpine/v3.19/main > /etc/apk/repositories; ! apk update")
        .await;
    let other = World::with(spec("debian-12-standard_12.7-1_amd64.tar.zst"), &[]).await;
    other.bad("apk update", 127, "not found").await;
}

#[tokio::test]
async fn services() {
    let world = World::new().await;
    world
        .bad("rc-service docker start", 1, "does not exist")
        .await;
    world
        .bad("rc-update add docker default", 1, "does not exist")
        .await;
    world
        .good("apk add docker && rc-update add docker default && rc-update add docker default")
        .await;
    world
        .bad(
            "rc-update add docker nowhere",
            1,
            "runlevel `nowhere' does not exist",
        )
        .await;
    assert_eq!(world.sh("rc-service docker status").await.code, 3);
    world
        .bad("docker info", 1, "Cannot connect to the Docker daemon")
        .await;
    world
        .good("rc-service docker start && service docker status && docker info")
        .await;
    assert!(
        world
            .good("rc-service docker start")
            .await
            .contains("already been started")
    );
    assert_eq!(
        world
            .good("docker info -f '{{.Driver}} {{.ServerVersion}}'")
            .await,
        "overlay2 26.1.5\n"
    );
    world.good("rc-service docker stop").await;
    world.bad("docker ps", 1, "Cannot connect").await;
}

#[tokio::test]
async fn docker_wants_nesting_and_its_faults() {
    let mut bare = spec("alpine-3.23-default_20260116_amd64.tar.xz");
    bare.nesting = false;
    let world = World::with(bare, &[]).await;
    world
        .good("apk add docker && rc-service docker start")
        .await;
    world
        .bad("docker info -f '{{.Driver}}'", 1, "Cannot connect")
        .await;
    assert!(
        world
            .good("tail -n 1 /var/log/docker.log")
            .await
            .contains("failed to start daemon")
    );

    let world = World::new().await;
    world.fault("docker_start", Action::Fail);
    world
        .good("apk add docker && rc-service docker start")
        .await;
    world.bad("docker info", 1, "Cannot connect").await;
    world.faults.set(Vec::new()).unwrap();
    world.good("rc-service docker restart && docker info").await;
    world.fault("docker_info", Action::Vfs);
    assert_eq!(
        world.good("docker info --format '{{.Driver}}'").await,
        "vfs\n"
    );
}

#[tokio::test]
async fn the_smoke_test() {
    let world = World::docker().await;
    world.good("tar -c -h -f - /bin/busybox $(ldd /bin/busybox | grep -o '/[^ ]*' | sort -u) 2>/dev/null | docker import - smoke:1").await;
    world.good("docker image inspect smoke:1 >/dev/null && docker run --rm --network bridge smoke:1 /bin/busybox true").await;
    assert_eq!(
        world
            .sh("docker run --rm smoke:1 /bin/busybox false")
            .await
            .code,
        1
    );
    world
        .bad(
            "docker run --rm smoke:1 /bin/nothing",
            127,
            "no such file or directory",
        )
        .await;
    world.bad("tar -c -f - /bin/busybox 2>/dev/null | docker import - bare:1 && docker run --rm bare:1 /bin/busybox true", 1, "exec /bin/busybox: no such file or directory").await;
    world
        .bad("echo nonsense | docker import - x:1", 1, "archive/tar")
        .await;
    world.fault("smoke_test", Action::Fail);
    world
        .bad(
            "docker run --rm --network bridge smoke:1 /bin/busybox true",
            126,
            "ip_unprivileged_port_start",
        )
        .await;
    world
        .good("docker run --rm --network host smoke:1 /bin/busybox true")
        .await;
}

#[tokio::test]
async fn addresses() {
    let world = World::new().await;
    let interfaces = world.guests.interfaces(VMID).await.unwrap();
    let names: Vec<&str> = interfaces
        .iter()
        .map(|interface| interface.name.as_str())
        .collect();
    assert_eq!(names, ["lo", "eth0"]);
    // A lease is there at once at this pace.
    let address = interfaces[1].addresses[0].0;
    assert!(address.is_ipv4() && interfaces[1].hwaddr == "bc:24:11:00:00:01");
    assert!(
        world
            .good("ip -4 addr show eth0; ip route; hostname -i")
            .await
            .contains(&address.to_string())
    );

    let none = World::with(
        spec("alpine-3.23-x.tar.xz"),
        &[Rule::new("dhcp", Action::None)],
    )
    .await;
    let eth0 = none.guests.interfaces(VMID).await.unwrap().remove(1);
    assert!(
        eth0.addresses.iter().all(|(address, _)| address.is_ipv6()),
        "{eth0:?}"
    );
    none.bad("apk update", 4, "temporary error").await;

    let mut fixed = spec("alpine-3.23-x.tar.xz");
    fixed.address = Some("10.9.8.7/24".to_owned());
    let fixed = World::with(fixed, &[]).await;
    assert_eq!(
        fixed.guests.interfaces(VMID).await.unwrap()[1].addresses[0],
        ("10.9.8.7".parse().unwrap(), 24)
    );
    fixed.guests.stop(VMID).await.unwrap();
    assert!(fixed.guests.interfaces(VMID).await.is_none());
}
