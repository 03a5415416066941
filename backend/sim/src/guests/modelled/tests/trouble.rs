//! What goes wrong, by fault or by nature.

use std::path::Path;

use super::projects::WEB;
use super::{World, spec};
use crate::faults::{Action, Rule};

#[tokio::test]
async fn pulls_go_wrong() {
    let world = World::docker().await;
    world.put("/opt/a/compose.yaml", WEB).await;
    for (action, text) in [
        (
            Action::NotFound,
            "manifest for demo/web:1 not found: manifest unknown",
        ),
        (
            Action::RateLimit,
            "toomanyrequests: You have reached your pull rate limit",
        ),
        (
            Action::RegistryDown,
            "Client.Timeout exceeded while awaiting headers",
        ),
        (Action::DiskFull, "no space left on device"),
        (
            Action::BadUid,
            "failed to Lchown \"/app/node_modules\" for UID 1516583083",
        ),
        (Action::Cut, "unexpected EOF"),
    ] {
        world.fault_once("pull", action);
        world
            .bad("cd /opt/a && docker compose pull", 18, text)
            .await;
        assert_eq!(world.good("docker image ls -q").await, "");
    }
    world
        .good("cd /opt/a && docker compose pull && docker pull nginx:1.27")
        .await;
    world
        .bad("docker pull demo/web:missing", 1, "manifest unknown")
        .await;
    world
        .bad("docker pull 'Bad Name'", 1, "invalid reference format")
        .await;

    // What hangs hangs until the fault is gone, or the caller's patience.
    world.fault("pull", Action::Hang);
    let hung = world.sh("timeout 1 docker pull redis:8").await;
    assert_eq!(hung.code, 143, "{hung:?}");
    let release = async {
        world.runs("docker pull redis").await;
        world.faults.set(Vec::new()).unwrap();
    };
    let (ran, ()) = tokio::join!(world.sh("docker pull redis:8"), release);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn a_small_disk_fills_up() {
    let mut small = spec("alpine-3.23-x.tar.xz");
    small.disk = 400 << 20;
    let world = World::with(small, &[]).await;
    world.install().await;
    world
        .bad("docker pull mysql:9", 1, "no space left on device")
        .await;
    world
        .bad("yes > /root/fill", 1, "No space left on device")
        .await;
}

#[tokio::test]
async fn services_go_wrong() {
    let world = World::docker().await;
    world.put("/opt/a/compose.yaml", WEB).await;
    world.fault_once("up", Action::Fail);
    world
        .bad(
            "cd /opt/a && docker compose up -d",
            1,
            "OCI runtime create failed",
        )
        .await;
    world.fault_once("up", Action::CrashLoop);
    world.good("cd /opt/a && docker compose up -d").await;
    let row = world
        .good("cd /opt/a && docker compose ps --format json")
        .await;
    assert!(
        row.contains("\"State\":\"restarting\"") && row.contains("\"ExitCode\":1"),
        "{row}"
    );
    assert!(
        world
            .good("cd /opt/a && docker compose logs")
            .await
            .contains("fatal error")
    );
    world
        .bad(
            "wget -q -O - http://127.0.0.1:8080/",
            1,
            "Connection refused",
        )
        .await;
    world
        .good("cd /opt/a && docker compose restart && wget -q -O /dev/null http://127.0.0.1:8080/")
        .await;
    world.fault("health", Action::Unhealthy);
    world
        .bad(
            "wget -q -O /dev/null http://127.0.0.1:8080/",
            1,
            "server returned error: HTTP/1.1 500",
        )
        .await;
    world.fault_once("health", Action::Refused);
    world
        .bad(
            "wget -q -O /dev/null http://127.0.0.1:8080/",
            1,
            "Connection refused",
        )
        .await;
    world
        .good("wget -q -O /dev/null http://127.0.0.1:8080/")
        .await;
    world.fault("upload", Action::DiskFull);
    world
        .bad("echo x > /opt/a/new", 1, "No space left on device")
        .await;
    world.good("echo x > /root/new").await;
    world.faults.set(Vec::new()).unwrap();
    world.put("/opt/b/compose.yaml", WEB).await;
    world
        .bad(
            "cd /opt/b && docker compose up -d",
            1,
            "port is already allocated",
        )
        .await;
}

/// The script of the control plane, when it is there: this crate does not depend on it.
#[tokio::test]
async fn the_installation_script_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../control/src/guest/install_docker.sh");
    let Ok(script) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    for template in [
        "alpine-3.23-default_20260116_amd64.tar.xz",
        "alpine-3.22-default_20250617_amd64.tar.xz",
    ] {
        let world = World::with(spec(template), &[]).await;
        let ran = world.exec(&["sh", "-s"], &script).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(
            ran.stdout.lines().last(),
            Some("== docker works"),
            "{ran:?}"
        );
        let again = world.exec(&["sh", "-s"], &script).await;
        assert_eq!(again.code, 0, "{again:?}");
        assert!(
            again.stdout.starts_with("== docker is installed already"),
            "{again:?}"
        );
    }
    for (on, action, times, code) in [
        ("apk", Action::Fail, Some(2), 0),
        ("apk", Action::Fail, None, 10),
        ("docker_start", Action::Fail, None, 11),
        ("docker_info", Action::Vfs, None, 12),
        ("smoke_test", Action::Fail, None, 13),
        ("dhcp", Action::None, None, 10),
    ] {
        let mut rule = Rule::new(on, action);
        rule.times = times;
        let world = World::with(spec("alpine-3.23-x.tar.xz"), &[rule]).await;
        let ran = world.exec(&["sh", "-s"], &script).await;
        assert_eq!(ran.code, code, "{on} {action:?}: {ran:?}");
    }
}
