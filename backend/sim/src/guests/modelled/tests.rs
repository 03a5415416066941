//! Scenarios on one guest: what Alpine, Docker and compose do when they are asked, and when things go wrong.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Modelled;
use crate::faults::{Action, Faults, Rule};
use crate::guests::{GuestSpec, Guests, Output, Process};
use crate::pace::Pace;

const VMID: u32 = 101;

struct World {
    faults: Arc<Faults>,
    guests: Modelled,
}

#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn spec(template: &str) -> GuestSpec {
    GuestSpec {
        vmid: VMID,
        node: "pve1".to_owned(),
        hostname: "notes".to_owned(),
        template: template.to_owned(),
        disk: 4 << 30,
        memory: 1 << 30,
        swap: 0,
        cores: Some(2),
        hwaddr: "BC:24:11:00:00:01".to_owned(),
        bridge: "vmbr0".to_owned(),
        address: None,
        gateway: None,
        nesting: true,
        keyctl: true,
    }
}

impl World {
    async fn new() -> Self {
        Self::with(spec("alpine-3.23-default_20260116_amd64.tar.xz"), &[]).await
    }

    async fn with(spec: GuestSpec, rules: &[Rule]) -> Self {
        let faults = Arc::new(Faults::new());
        faults.set(rules.to_vec()).unwrap();
        let guests = Modelled::new(Arc::clone(&faults), Pace::Instant);
        guests.create(&spec, &|_| {}).await.unwrap();
        guests.start(VMID).await.unwrap();
        Self { faults, guests }
    }

    /// A guest with Docker installed and ready.
    async fn docker() -> Self {
        let world = Self::new().await;
        world.install().await;
        world
    }

    async fn install(&self) {
        let ran = self.sh("apk update && apk add --no-cache docker docker-cli-compose && rc-update add docker default && rc-service docker start && docker info >/dev/null").await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    async fn exec(&self, argv: &[&str], input: &str) -> Ran {
        let (to, mut from) = mpsc::channel(8);
        let (stdin, receiver) = mpsc::channel(1);
        let process = Process {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            env: vec![
                (
                    "PATH".to_owned(),
                    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
                ),
                ("HOME".to_owned(), "/root".to_owned()),
            ],
            stdin: receiver,
            output: to,
            killed: CancellationToken::new(),
        };
        let feed = async move {
            // The process may end without reading.
            let _ = stdin.send(Bytes::copy_from_slice(input.as_bytes())).await;
            drop(stdin);
        };
        let collect = async {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            while let Some(piece) = from.recv().await {
                match piece {
                    Output::Stdout(bytes) => stdout.extend(bytes),
                    Output::Stderr(bytes) => stderr.extend(bytes),
                }
            }
            (stdout, stderr)
        };
        let run = tokio::time::timeout(Duration::from_secs(20), self.guests.exec(VMID, process));
        let (code, (), (stdout, stderr)) = tokio::join!(run, feed, collect);
        Ran {
            code: code.expect("the process ends"),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    async fn sh(&self, script: &str) -> Ran {
        self.exec(&["sh", "-c", script], "").await
    }

    async fn put(&self, path: &str, text: &str) {
        let script = "mkdir -p \"${1%/*}\" && cat > \"$1\"";
        let ran = self.exec(&["sh", "-c", script, "sh", path], text).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    /// Runs a script and insists that it ends well.
    async fn good(&self, script: &str) -> String {
        let ran = self.sh(script).await;
        assert_eq!(ran.code, 0, "{script}: {ran:?}");
        ran.stdout
    }

    /// Runs a script and insists on how it fails.
    async fn bad(&self, script: &str, code: i32, text: &str) {
        let ran = self.sh(script).await;
        assert_eq!(ran.code, code, "{script}: {ran:?}");
        assert!(ran.stderr.contains(text), "{script} wrote {:?}", ran.stderr);
    }

    fn fault(&self, on: &str, action: Action) {
        self.faults.set(vec![Rule::new(on, action)]).unwrap();
    }

    fn fault_once(&self, on: &str, action: Action) {
        self.faults
            .set(vec![Rule::new(on, action).times(1)])
            .unwrap();
    }
}

const WEB: &str = "services:\n  web:\n    image: demo/web:1\n    restart: unless-stopped\n    ports: [\"8080:80\"]\n";

async fn deployed() -> World {
    let world = World::docker().await;
    world.put("/opt/a/compose.yaml", WEB).await;
    world
        .good("cd /opt/a && docker compose pull && docker compose up -d")
        .await;
    world
}

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

#[tokio::test]
async fn a_project_comes_up_and_answers() {
    let world = World::docker().await;
    world
        .bad(
            "wget -q -O - http://127.0.0.1:8080/",
            1,
            "Connection refused",
        )
        .await;
    world.put("/opt/a/compose.yaml", WEB).await;
    world
        .bad(
            "cd /opt && docker compose ps",
            14,
            "no configuration file provided: not found",
        )
        .await;
    let pulled = world
        .sh("cd /opt/a && docker compose --progress plain pull")
        .await;
    assert_eq!(pulled.code, 0);
    for line in [
        " web Pulling \n",
        " Pulling fs layer \n",
        " Pull complete \n",
        " web Pulled \n",
    ] {
        assert!(
            pulled.stderr.contains(line),
            "{line:?} in {}",
            pulled.stderr
        );
    }
    let again = world
        .sh("cd /opt/a && docker compose pull --policy missing web")
        .await;
    assert_eq!(
        again.stderr,
        " web Skipped - Image is already present locally \n"
    );
    let up = world.sh("docker compose --project-name a --project-directory /opt/a --file /opt/a/compose.yaml up --detach --no-build --remove-orphans").await;
    assert_eq!(
        up.stderr,
        " Network a_default  Creating\n Network a_default  Created\n Container a-web-1  Creating\n Container a-web-1  Created\n Container a-web-1  Starting\n Container a-web-1  Started\n"
    );
    let row: serde_json::Value = serde_json::from_str(
        world
            .good("cd /opt/a && docker compose ps --all --format json")
            .await
            .trim(),
    )
    .unwrap();
    assert_eq!(
        (
            &row["Service"],
            &row["State"],
            &row["Health"],
            &row["ExitCode"]
        ),
        (&"web".into(), &"running".into(), &"".into(), &0.into())
    );
    assert_eq!(row["Publishers"][0]["PublishedPort"], 8080);
    assert!(
        world
            .good("wget -q -O - http://127.0.0.1:8080/x")
            .await
            .contains("a-web-1 works")
    );
    let status = world
        .sh("wget -q -S -T 5 -O /dev/null http://127.0.0.1:8080/")
        .await;
    assert!(
        status.stderr.contains("  HTTP/1.1 200 OK\n") && status.stdout.is_empty(),
        "{status:?}"
    );
    world.good("nc -z -w 5 127.0.0.1 8080").await;
    assert_eq!(world.sh("nc -z -w 5 127.0.0.1 81").await.code, 1);
    let logs = world
        .good("cd /opt/a && docker compose logs --no-color --tail 2 web")
        .await;
    assert!(
        logs.contains("web-1  | 172.17.0.1 - \"GET /x HTTP/1.1\" 200\n")
            && logs.lines().count() == 2,
        "{logs}"
    );
    let again = world.sh("cd /opt/a && docker compose up -d").await;
    assert_eq!(again.stderr, " Container a-web-1  Running\n");
    world.good("cd /opt/a && docker compose stop && docker compose start && docker compose restart && docker compose down -v").await;
    assert_eq!(
        world
            .good("docker ps -aq; docker network ls --format '{{.Name}}'")
            .await,
        "bridge\nhost\nnone\n"
    );
}

#[tokio::test]
async fn variables_overrides_and_mistakes() {
    let world = World::docker().await;
    world.put("/opt/a/compose.yaml", "services:\n  web:\n    image: demo/echo:${TAG:-1}\n    ports: [\"80:80\"]\n    environment:\n      VALUE: ${VALUE:?set a value}\n").await;
    world
        .bad(
            "cd /opt/a && docker compose config --quiet",
            1,
            "required variable VALUE is missing a value: set a value",
        )
        .await;
    // Dollars, quotes and line feeds arrive as they were meant.
    world
        .put("/opt/a/.env", "VALUE='it \"costs\" $5 #1'\n")
        .await;
    world
        .put(
            "/opt/a/compose.override.yaml",
            "services:\n  web:\n    ports: !override [\"8080:80\"]\n    labels: {a: b}\n",
        )
        .await;
    world.good("cd /opt/a && docker compose up -d").await;
    assert_eq!(
        world.good("wget -q -O - http://127.0.0.1:8080/").await,
        "it \"costs\" $5 #1"
    );
    assert_eq!(world.sh("nc -z 127.0.0.1 80").await.code, 1);
    assert_eq!(
        world
            .good("cd /opt/a && docker compose exec -T web sh -c 'printf %s \"$VALUE\"'")
            .await,
        "it \"costs\" $5 #1"
    );
    assert_eq!(
        world
            .good("cd /opt/a && docker compose config --services; docker compose config --images")
            .await,
        "web\ndemo/echo:1\n"
    );
    for (text, code, message) in [
        ("services:\n  web: {image: a, bogus: [}\n", 15, "yaml: "),
        (
            "services:\n  web: {ports: ['80:80']}\n",
            1,
            "has neither an image nor a build context specified",
        ),
        (
            "services:\n  web: {image: a, depends_on: [db]}\n",
            1,
            "depends on undefined service db",
        ),
        (
            "services:\n  web: {image: a, volumes: ['data:/x']}\n",
            1,
            "refers to undefined volume data",
        ),
        (
            "nonsense: 1\nservices: {web: {image: a}}\n",
            15,
            "Additional property nonsense is not allowed",
        ),
        (
            "services:\n  a: {image: a, depends_on: [b]}\n  b: {image: a, depends_on: [a]}\n",
            1,
            "dependency cycle detected",
        ),
        (
            "services:\n  web: {image: a, ports: ['x:80']}\n",
            15,
            "invalid hostPort",
        ),
    ] {
        world.put("/opt/b/compose.yaml", text).await;
        world
            .bad("cd /opt/b && docker compose config -q", code, message)
            .await;
    }
    world
        .put(
            "/opt/b/compose.yaml",
            "services: {web: {image: \"demo/web:1\", environment: {A: $UNSET}}}\n",
        )
        .await;
    let warned = world.sh("cd /opt/b && docker compose config -q").await;
    assert!(
        warned.code == 0
            && warned
                .stderr
                .contains("The \\\"UNSET\\\" variable is not set. Defaulting to a blank string."),
        "{warned:?}"
    );
    world
        .bad(
            "cd /opt/b && docker compose up --bogus",
            16,
            "unknown flag: --bogus",
        )
        .await;
    world
        .bad(
            "cd /opt/b && docker compose logs nothing",
            1,
            "no such service: nothing",
        )
        .await;
}

#[tokio::test]
async fn dependencies_wait_for_each_other() {
    let world = World::docker().await;
    world.put("/opt/a/compose.yaml", "services:\n  web:\n    image: demo/visits:1\n    depends_on:\n      db: {condition: service_healthy}\n      init: {condition: service_completed_successfully}\n  init:\n    image: alpine:3\n    command: [\"sh\", \"-c\", \"exit 0\"]\n  db:\n    image: redis:8\n    volumes: [\"data:/data\"]\n    healthcheck: {test: [\"CMD\", \"redis-cli\", \"ping\"]}\nvolumes: {data: {}}\n").await;
    let up = world.sh("cd /opt/a && docker compose up -d --wait").await;
    assert!(
        up.code == 1 && up.stderr.contains("container a-init-1 exited (0)"),
        "--wait wants services that stay: {up:?}"
    );
    let up = world.sh("cd /opt/a && docker compose up -d").await;
    assert_eq!(up.code, 0, "{up:?}");
    assert!(
        up.stderr
            .contains(" Container a-db-1  Waiting\n Container a-db-1  Healthy\n"),
        "{up:?}"
    );
    assert_eq!(
        world
            .good(
                "cd /opt/a && docker compose exec --no-TTY db redis-cli ping; docker volume ls -q"
            )
            .await,
        "PONG\na_data\n"
    );
    world
        .bad(
            "cd /opt/a && docker compose exec -T db nothing",
            127,
            "executable file not found in $PATH",
        )
        .await;
    world
        .good("cd /opt/a && docker compose down && docker volume inspect a_data")
        .await;
    world.fault_once("health", Action::Unhealthy);
    world
        .bad(
            "cd /opt/a && docker compose up -d",
            1,
            "dependency failed to start: container a-db-1 is unhealthy",
        )
        .await;
    world.good("cd /opt/a && docker compose up -d").await;
}

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
        // Whenever this comes, the pull hangs already or will not.
        tokio::time::sleep(Duration::from_millis(100)).await;
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

#[tokio::test]
async fn apps_survive_a_restart_of_the_guest() {
    let world = deployed().await;
    world
        .good("echo kept > /root/file; echo lost > /tmp/file")
        .await;
    world.guests.shutdown(VMID).await.unwrap();
    assert!(!world.guests.is_running(VMID).await);
    world.guests.start(VMID).await.unwrap();
    assert_eq!(
        world
            .good("cat /root/file; cat /tmp/file || echo gone")
            .await,
        "kept\ngone\n"
    );
    world
        .good("wget -q -O /dev/null http://127.0.0.1:8080/")
        .await;
    // Stopped by hand it stays stopped.
    world.good("cd /opt/a && docker compose stop").await;
    world.guests.stop(VMID).await.unwrap();
    world.guests.start(VMID).await.unwrap();
    world
        .bad("wget -q -O /dev/null http://127.0.0.1:8080/", 1, "refused")
        .await;
    world.guests.stop(VMID).await.unwrap();
    world.guests.destroy(VMID).await.unwrap();
    world.guests.destroy(VMID).await.unwrap();
    assert_eq!(world.guests.disk_used(VMID).await, 0);
}

#[tokio::test]
async fn stopping_the_guest_ends_its_processes() {
    let world = deployed().await;
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.guests.stop(VMID).await.unwrap();
    };
    let (followed, ()) = tokio::join!(world.sh("cd /opt/a && docker compose logs -f"), stop);
    assert_eq!(followed.code, 137, "{followed:?}");
}

#[tokio::test]
async fn logs_can_be_followed() {
    let world = deployed().await;
    let look = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world
            .good(
                "wget -q -O /dev/null http://127.0.0.1:8080/late; cd /opt/a && docker compose stop",
            )
            .await;
    };
    let (followed, ()) = tokio::join!(
        world.sh("cd /opt/a && docker compose logs -f --no-log-prefix"),
        look
    );
    assert_eq!(
        followed.code, 0,
        "following ends with the containers: {followed:?}"
    );
    assert!(
        followed.stdout.contains("GET /late HTTP/1.1"),
        "{followed:?}"
    );
    let stamped = world
        .good("cd /opt/a && docker compose logs -t --no-log-prefix --tail 1 --since 10m")
        .await;
    assert!(
        stamped.starts_with("20") && stamped.contains("Z received SIGTERM"),
        "{stamped}"
    );
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
