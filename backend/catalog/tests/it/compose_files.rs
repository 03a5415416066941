//! What is found in compose files.

use catalog::{Manifest, Severity, check_compose};

fn said(compose: &str) -> Vec<String> {
    check_compose(compose.as_bytes(), None)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn what_a_container_cannot_give() {
    let found = said(
        r#"
services:
  a:
    image: a
    privileged: true
    devices: ["/dev/dri:/dev/dri"]
    cap_add: [SYS_ADMIN, NET_ADMIN]
    pid: host
    mem_limit: 1g
    sysctls: [net.core.somaxconn=1024, vm.max_map_count=262144]
    network_mode: host
    container_name: fine
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
      - /proc:/host/proc:ro
      - /srv/media:/media
      - ./config.json:/etc/config.json
      - undeclared:/data
    depends_on: [ghost]
    networks: [lan]
    env_file: secrets.env
  b:
    build: .
    ports: ["127.0.0.1:81:81"]
  c:
    image: c:1
    ports: ["80:80", "53:53/udp"]
  d:
    image: c:1
    ports: ["80:8080", "53:53/tcp"]
networks:
  proxy: {external: true}
"#,
    );
    insta::assert_debug_snapshot!(found);
}

#[test]
fn consents_are_collected() {
    let manifest = Manifest::from_compose(
        "app",
        b"services:\n  a:\n    image: a:1\n    privileged: true\n    volumes: [\"/var/run/docker.sock:/s\"]\n",
    )
    .unwrap();
    let kinds: Vec<&str> = manifest.consents.iter().map(|c| c.kind.as_str()).collect();
    assert_eq!(kinds, ["privileged", "docker_socket"]);
    assert!(
        manifest
            .findings
            .iter()
            .all(|f| f.severity == Severity::Warning)
    );
}

#[test]
fn anchors_and_merges_are_understood() {
    let manifest = Manifest::from_compose(
        "app",
        b"
x-base: &base
  restart: always
  image: base:1
  environment: &env {A: \"1\"}
services:
  a: {<<: *base, image: own:2}
  b:
    <<: [*base]
    environment: {<<: *env, B: \"2\"}
",
    )
    .unwrap();
    assert_eq!(
        manifest.compose.service("a").unwrap().image.as_deref(),
        Some("own:2")
    );
    assert_eq!(
        manifest.compose.service("b").unwrap().image.as_deref(),
        Some("base:1")
    );
    assert_eq!(
        manifest.compose.service("b").unwrap().restart.as_deref(),
        Some("always")
    );
}

#[test]
fn broken_interpolation_is_located() {
    assert_eq!(
        said("services:\n  a:\n    image: a:1\n    command: echo ${A\n"),
        ["compose.yaml:4:14: error: Compose will refuse this text: a `${` is never closed."]
    );
}
