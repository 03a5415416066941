//! Compose projects when all is well, or at least not the simulation's fault.

use super::{VMID, World};
use crate::faults::Action;
use crate::guests::Guests;

pub(super) const WEB: &str = "services:\n  web:\n    image: demo/web:1\n    restart: unless-stopped\n    ports: [\"8080:80\"]\n";

pub(super) async fn deployed() -> World {
    let world = World::docker().await;
    world.put("/opt/a/compose.yaml", WEB).await;
    world
        .good("cd /opt/a && docker compose pull && docker compose up -d")
        .await;
    world
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
    let known = world.guests.inventory();
    assert_eq!(known[0]["vmid"], VMID);
    assert_eq!(known[0]["docker"]["containers"][0]["state"], "running");
    assert_eq!(known[0]["docker"]["images"][0], "demo/web:1");
}

#[tokio::test]
async fn a_project_answers_logs_and_leaves() {
    let world = deployed().await;
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
async fn projects_that_are_refused() {
    let world = World::docker().await;
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
        world.runs("docker-compose compose logs").await;
        world.guests.stop(VMID).await.unwrap();
    };
    let (followed, ()) = tokio::join!(world.sh("cd /opt/a && docker compose logs -f"), stop);
    assert_eq!(followed.code, 137, "{followed:?}");
}

#[tokio::test]
async fn logs_can_be_followed() {
    let world = deployed().await;
    let look = async {
        world.runs("docker-compose compose logs").await;
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
