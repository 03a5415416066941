//! `app.yaml`: what is read, what is inferred, and what is said when it is wrong.

use catalog::{Health, HealthRule, Manifest, ParamKind};
use serde_json::json;

use crate::support::{COMPOSE, container, entry, entry_with, errors, files, resolve};

#[test]
fn a_compose_file_alone_is_an_entry() {
    let manifest = Manifest::from_compose(
        "photo-box",
        br#"
services:
  web:
    image: ghcr.io/example/photos:3.1
    ports: ["${HTTP_PORT:-8081}:80"]
    environment:
      TZ: ${TZ:-Etc/UTC}
      DB_PASSWORD: ${DB_PASSWORD}
      OPENAI_API_KEY: ${OPENAI_API_KEY:-}
      ADMIN: ${ADMIN_EMAIL:?who runs this}
      DEBUG: ${DEBUG:-false}
    volumes: ["data:/data", "${PWD}/x:/x", "${MEDIA}:/media"]
  db:
    image: postgres:17
    volumes: ["db:/var/lib/postgresql/data"]
volumes: {data: , db: }
"#,
    )
    .unwrap();
    assert_eq!(
        (manifest.name.as_str(), manifest.version.as_str()),
        ("Photo Box", "3.1")
    );
    let kinds: Vec<(&str, ParamKind)> = manifest
        .params
        .iter()
        .map(|p| (p.name.as_str(), p.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("HTTP_PORT", ParamKind::Port),
            ("TZ", ParamKind::Timezone),
            ("DB_PASSWORD", ParamKind::Secret),
            ("OPENAI_API_KEY", ParamKind::Secret),
            ("ADMIN_EMAIL", ParamKind::String),
            ("DEBUG", ParamKind::Bool),
            ("MEDIA", ParamKind::String),
        ]
    );
    assert!(manifest.param("DB_PASSWORD").unwrap().generate.is_some());
    assert!(manifest.param("OPENAI_API_KEY").unwrap().generate.is_none());
    assert!(manifest.param("ADMIN_EMAIL").unwrap().required);
    assert!(
        manifest.param("MEDIA").unwrap().required,
        "a mount cannot be empty"
    );
    assert_eq!(manifest.resources.memory, (512 + 256 + 512) << 20);
    assert_eq!(manifest.resources.disk, 8 << 30);

    let answers = resolve(
        &manifest,
        json!({"ADMIN_EMAIL": "a@example.org", "HTTP_PORT": "9000", "MEDIA": "/srv"}),
    )
    .unwrap();
    let endpoints = manifest.endpoints_for(&answers, container().ip);
    assert_eq!(endpoints[0].url, "http://192.0.2.7:9000/");
    let health = manifest.health_for(&answers);
    assert!(matches!(health[0], Health::Compose { .. }));
    assert!(matches!(health[1], Health::Tcp { port: 9000, .. }));
}

#[test]
fn metadata_may_stand_in_the_compose_file() {
    let compose = format!(
        "{COMPOSE}x-proximity:\n  name: Inside\n  tagline: From inside\n  category: media\n"
    );
    let manifest = entry_with(&compose, "name: Outside\n").unwrap();
    assert_eq!(manifest.name, "Outside", "app.yaml wins key by key");
    assert_eq!(manifest.tagline, "From inside");
    assert_eq!(manifest.category, "media");
    let wrong = format!("{COMPOSE}x-proximity:\n  taglien: x\n");
    assert_eq!(
        errors(&entry_with(&wrong, "").unwrap_err()),
        ["compose.yaml:7:3: error: x-proximity has no key `taglien`. Did you mean `tagline`?"]
    );
}

/// Each wrong entry beside the one sentence that is said about it.
const WRONG: &[(&str, &str)] = &[
    (
        "nmae: X",
        "app.yaml:1:1: error: app.yaml has no key `nmae`. Did you mean `name`?",
    ),
    (
        "name: [a]",
        "app.yaml:1:7: error: `name` must be text, and this is a list.",
    ),
    (
        "schema: 2",
        "app.yaml:1:1: error: This entry is written for schema 2; this version reads 1.",
    ),
    (
        "id: other",
        "app.yaml:1:1: error: `id` is other and the folder is app; they must be the same.",
    ),
    (
        "revision: x",
        "app.yaml:1:11: error: `revision` must be a whole number, and this is text.",
    ),
    (
        "architectures: [x86]",
        "app.yaml:1:1: error: There is no architecture `x86`; there are amd64, arm64, armhf, i386, riscv64.",
    ),
    (
        "links: {docs: \"javascript:x\"}",
        "app.yaml:1:1: error: The link `docs` is no web address.",
    ),
    (
        "icon: missing.svg",
        "app.yaml:1:1: error: The icon `missing.svg` is no file of the entry, no https address and no selfhst: name.",
    ),
    (
        "resources: {memory: 512M}",
        "app.yaml:1:21: error: `memory`: `512M` is no size; write it like 512MiB or 2GiB.",
    ),
    (
        "resources: {memory: 1MiB}",
        "app.yaml:1:12: error: `memory` must be at least 128MiB: Docker itself needs most of that.",
    ),
    (
        "images: {web: {digest: \"sha256:123\"}}",
        "app.yaml:1:15: error: `digest` must be sha256: and 64 hexadecimal digits.",
    ),
    (
        "images: {wbe: {ref: \"a:1\"}}",
        "app.yaml:1:10: error: There is no service `wbe`.",
    ),
    (
        "endpoints: [{name: web, port: 9000}]",
        "app.yaml:1:1: error: The endpoint `web` is port 9000, and no service publishes it.",
    ),
    (
        "endpoints: [{name: web, port: 8080, service: no}]",
        "app.yaml:1:1: error: The endpoint `web` names a service that does not exist.",
    ),
    (
        "endpoints: [{name: web, port: eighty}]",
        "app.yaml:1:13: error: The port of `web` must be a number or a variable like ${PORT}.",
    ),
    (
        "health: {http: {endpoint: nope}}",
        "app.yaml:1:16: error: There is no endpoint `nope`.",
    ),
    (
        "health: {http: {}, tcp: {}}",
        "app.yaml:1:9: error: `health` is exactly one of http, tcp, exec and compose.",
    ),
    (
        "health: {exec: {service: no, command: [x]}}",
        "app.yaml:1:1: error: The health check names the service `no`, which does not exist.",
    ),
    (
        "health: {http: {every: 1h, within: 1m}}",
        "app.yaml:1:16: error: `every` must be longer than nothing and not longer than `within`.",
    ),
    (
        "params: [{name: A, type: strnig}]",
        "app.yaml:1:10: error: There is no type `strnig`. Did you mean `string`?",
    ),
    (
        "params: [{name: 1A}]",
        "app.yaml:1:10: error: `1A` is no name of a variable: letters, digits and `_`, at most 128.",
    ),
    (
        "params: [{name: PATH}]",
        "app.yaml:1:10: error: `PATH` is a variable of the system; choose another name.",
    ),
    (
        "params: [{name: A, type: enum}]",
        "app.yaml:1:10: error: `A` needs `options` to choose from.",
    ),
    (
        "params: [{name: A, type: int, default: many}]",
        "app.yaml:1:40: error: The default of `A` must be a whole number.",
    ),
    (
        "params: [{name: A, validate: {pattern: \"(\"}}]",
        "app.yaml:1:40: error: This is no regular expression: Parsing error at position 1: Opening parenthesis without closing parenthesis.",
    ),
    (
        "params: [{name: A, generate: {kind: rsa}}]",
        "app.yaml:1:30: error: Values of the kind `rsa` cannot be generated yet.",
    ),
    (
        "params: [{name: A, generate: {kind: from, of: B}}]",
        "app.yaml:1:10: error: `A` is made from `B`, which is no parameter that has a value of its own.",
    ),
    (
        "params: [{name: A, hidden: true, required: true}]",
        "app.yaml:1:10: error: `A` is hidden and required, and nothing gives it a value.",
    ),
    (
        "templates: [{src: templates/none.tera}]",
        "app.yaml:1:13: error: `src` of a template must be a file of the entry.",
    ),
    (
        "data: [{volume: none}]",
        "app.yaml:1:8: error: There is no volume `none`.",
    ),
    (
        "host: {privileged: true}",
        "app.yaml:1:7: error: Apps run in unprivileged containers only; `privileged` cannot be had.",
    ),
    (
        "hooks: {pre_deploy: x}",
        "app.yaml:1:8: error: `hooks` are not supported yet, and the app may not work without them.",
    ),
    (
        "first_run: {kind: credentials, password: NONE}",
        "app.yaml:1:12: error: `password` names a parameter, and that one must say `show_after_deploy: true`.",
    ),
    (
        "upgrade: {rules: [{level: huge}]}",
        "app.yaml:1:19: error: `level` is one of patch, major, breaking and blocked.",
    ),
];

#[test]
fn wrong_entries_are_explained() {
    for (app, expected) in WRONG {
        let found = entry(app).map(|_| ()).unwrap_err();
        assert_eq!(errors(&found), [*expected], "{app}");
    }
}

#[test]
fn all_errors_are_told_at_once() {
    let found = entry("nmae: X\nrevision: x\nresources: {cores: 0}\n").unwrap_err();
    assert_eq!(errors(&found).len(), 3);
}

#[test]
fn variables_and_parameters_must_meet() {
    let compose = "services:\n  web:\n    image: a:1\n    environment:\n      A: ${A:?}\n      B: ${B}\n      C: ${C:-c}\n";
    let found = entry_with(compose, "params: [{name: C}, {name: D}]").unwrap_err();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "app.yaml:1:21: warning: `D` is used by no service and no template.",
            "compose.yaml:5:10: error: `A` is required, and no parameter gives it.",
            "compose.yaml:6:10: warning: `B` is given by no parameter and will be empty.",
        ]
    );
}

#[test]
fn templates_are_found_and_checked() {
    let with = |template: &str, app: &str| {
        Manifest::from_files(
            "app",
            files([
                ("compose.yaml", COMPOSE),
                ("app.yaml", app),
                ("templates/sub/a.conf.tera", template),
            ]),
        )
    };
    let manifest = with("{{ app.name }} {{ lxc.id }}", "").unwrap();
    assert_eq!(manifest.templates[0].dest, "sub/a.conf");
    let project = manifest.render(&manifest.defaults(), &container()).unwrap();
    let file = project
        .files
        .iter()
        .find(|f| f.path == "sub/a.conf")
        .unwrap();
    assert_eq!(file.bytes, b"my-app 104");

    assert!(
        with("{{ app.name ", "")
            .unwrap_err()
            .to_string()
            .contains("This is no template")
    );
    for dest in [
        "../x",
        "/etc/passwd",
        ".env",
        "compose.yaml",
        "a/../../b",
        "docker-compose.yml",
    ] {
        let app = format!("templates: [{{src: templates/sub/a.conf.tera, dest: {dest}}}]");
        assert!(with("x", &app).is_err(), "{dest}");
    }
    let undefined = with("{{ params.NOPE }}", "").unwrap();
    let error = undefined
        .render(&undefined.defaults(), &container())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the template templates/sub/a.conf.tera cannot be rendered"),
        "{error}"
    );
}

#[test]
fn health_rules() {
    let manifest =
        entry("health: {http: {path: \"/up?x\", expect: [200, 204], every: 2s, within: 90s}}")
            .unwrap();
    let health = manifest.health_for(&manifest.defaults());
    let Health::Http {
        port,
        scheme,
        path,
        expect,
        ..
    } = &health[0]
    else {
        panic!("{health:?}");
    };
    assert_eq!(
        (*port, scheme.as_str(), path.as_str(), expect.as_slice()),
        (8080, "http", "/up?x", &[200, 204][..])
    );
    assert!(matches!(
        entry("health: compose").unwrap().health[..],
        [HealthRule::Compose { .. }]
    ));
    let json = serde_json::to_value(&health[0]).unwrap();
    assert_eq!(json["kind"], "http");
    assert_eq!(serde_json::from_value::<Health>(json).unwrap(), health[0]);
}
