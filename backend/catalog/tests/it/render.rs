//! The files of a project.

use catalog::{Manifest, ProjectFile};
use serde_json::json;

use crate::support::{COMPOSE, container, entry_with, files, resolve};

fn file<'p>(project: &'p catalog::Project, path: &str) -> &'p ProjectFile {
    project
        .files
        .iter()
        .find(|f| f.path == path)
        .unwrap_or_else(|| panic!("no {path} in {project:?}"))
}

#[test]
fn files_keep_their_bytes_and_scripts_their_permission() {
    let mut all = files([
        ("compose.yaml", COMPOSE),
        ("files/run.sh", "#!/bin/sh\necho hi\n"),
        ("files/deep/er/a.txt", "x"),
        ("README.md", "# no"),
        ("tests/smoke.yaml", ""),
        ("notes.txt", "not shipped"),
    ]);
    all.insert("files/binary".to_owned(), vec![0, 159, 146, 150]);
    let manifest = Manifest::from_files("app", all).unwrap();
    let project = manifest.render(&manifest.defaults(), &container()).unwrap();
    assert_eq!(file(&project, "files/run.sh").mode, 0o755);
    assert_eq!(file(&project, "files/binary").bytes, [0, 159, 146, 150]);
    let paths: Vec<&str> = project.files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            ".env",
            "compose.override.yaml",
            "compose.yaml",
            "files/binary",
            "files/deep/er/a.txt",
            "files/run.sh"
        ]
    );
}

#[test]
fn the_override_changes_only_what_it_must() {
    let compose = "\
services:
  a:
    image: one:1
  b:
    image: two:2
    logging: {driver: none}
  c:
    image: three:3
    logging: {driver: none}
";
    let digest = "sha256:".to_owned() + &"a".repeat(64);
    let app = format!("images: {{c: {{ref: \"three:3\", digest: \"{digest}\"}}}}");
    let manifest = entry_with(compose, &app).unwrap();
    let project = manifest.render(&manifest.defaults(), &container()).unwrap();
    let text = String::from_utf8(file(&project, "compose.override.yaml").bytes.clone()).unwrap();
    insta::assert_snapshot!(text);
    assert_eq!(
        project.images,
        [
            "one:1".to_owned(),
            "two:2".to_owned(),
            format!("three:3@{digest}")
        ]
    );
}

#[test]
fn profiles_and_variables_decide_what_runs() {
    let compose = "\
services:
  web:
    image: web:${TAG:-1}
  extra:
    image: extra:1
    profiles: [more]
";
    let app = "params: [{name: TAG, default: \"2\"}, {name: COMPOSE_PROFILES, type: multi, options: [more]}]";
    let manifest = entry_with(compose, app).unwrap();
    let plain = manifest
        .render(&resolve(&manifest, json!({})).unwrap(), &container())
        .unwrap();
    assert_eq!(plain.services, ["web"]);
    assert_eq!(plain.images, ["web:2"]);
    let more = resolve(&manifest, json!({"COMPOSE_PROFILES": ["more"], "TAG": "3"})).unwrap();
    let more = manifest.render(&more, &container()).unwrap();
    assert_eq!(more.services, ["web", "extra"]);
    assert_eq!(more.images, ["web:3", "extra:1"]);
}

#[test]
fn nul_is_refused_even_from_storage() {
    let manifest = entry_with(
        "services:\n  a:\n    image: a:1\n    command: $A\n",
        "params: [{name: A}]",
    )
    .unwrap();
    let stored = json!({"values": {"A": {"value": "a\u{0}b", "secret": false}}});
    let answers = serde_json::from_value(stored).unwrap();
    let error = manifest.render(&answers, &container()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the parameter A cannot be used: it holds a NUL character, which no environment can carry"
    );
}

#[test]
fn template_only_parameters_stay_out_of_the_environment() {
    let manifest = entry_with(
        "services:\n  a:\n    image: a:${A:-1}\n",
        "params: [{name: A, default: \"2\", env: false}, {name: B, default: x}]",
    )
    .unwrap();
    let project = manifest.render(&manifest.defaults(), &container()).unwrap();
    let env = String::from_utf8(file(&project, ".env").bytes.clone()).unwrap();
    assert!(env.contains("B='x'") && !env.contains("A="), "{env}");
    assert_eq!(project.images, ["a:1"], "compose does not see it either");
}
