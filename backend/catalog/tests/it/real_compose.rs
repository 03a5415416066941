//! The same files before Docker Compose itself, where it is installed (or named by `DOCKER_COMPOSE`).
//!
//! `config` needs no Docker daemon: it prints the project as compose understands it.

use std::{fs, path::Path, process::Command};

use catalog::{Manifest, Project};
use serde_json::{Value, json};

use crate::support::{container, entry_with, first_party, given, rng};

/// The command that is Docker Compose, or nothing.
#[expect(clippy::print_stdout, reason = "a test that skips says so")]
fn compose() -> Option<Vec<String>> {
    let named = std::env::var("DOCKER_COMPOSE").ok().map(|path| vec![path]);
    let usual = [
        vec!["docker".to_owned(), "compose".to_owned()],
        vec!["docker-compose".to_owned()],
    ];
    let works = |command: &Vec<String>| {
        let output = Command::new(&command[0])
            .args(&command[1..])
            .arg("version")
            .output();
        output.is_ok_and(|o| o.status.success() && String::from_utf8_lossy(&o.stdout).contains('2'))
    };
    let found = named.into_iter().chain(usual).find(works);
    if found.is_none() {
        println!("skipped: there is no Docker Compose here");
    }
    found
}

fn write(project: &Project, folder: &Path) {
    for file in &project.files {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.bytes).unwrap();
    }
}

/// The project as compose understands it.
fn config(command: &[String], project: &Project) -> Value {
    let folder = tempfile::tempdir().unwrap();
    write(project, folder.path());
    let output = Command::new(&command[0])
        .args(&command[1..])
        .args(["config", "--format", "json"])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(!errors.contains("warn"), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn it_accepts_every_shipped_app_and_sees_our_override() {
    let Some(command) = compose() else {
        return;
    };
    for app in first_party().apps() {
        let answers = app.resolve(&serde_json::Map::new(), &mut rng()).unwrap();
        let project = app.render(&answers, &container()).unwrap();
        let config = config(&command, &project);
        let services = config["services"].as_object().unwrap();
        assert_eq!(services.len(), project.services.len(), "{}", app.id);
        for (name, service) in services {
            let image = service["image"].as_str().unwrap().to_owned();
            assert!(project.images.contains(&image), "{}: {image}", app.id);
            assert_eq!(
                service["logging"]["options"]["max-size"], "10m",
                "{}: {name}",
                app.id
            );
        }
        let published: Vec<String> = services
            .values()
            .flat_map(|s| s["ports"].as_array().cloned().unwrap_or_default())
            .filter_map(|p| p["published"].as_str().map(str::to_owned))
            .collect();
        for endpoint in app.endpoints_for(&answers, None) {
            assert!(
                published.contains(&endpoint.port.to_string()),
                "{}: {published:?}",
                app.id
            );
        }
    }
}

fn awkward() -> Vec<String> {
    let mut values: Vec<String> = [
        "",
        " leading and trailing ",
        "#no comment",
        "a #b",
        "${HOME}",
        "$HOME $$ $",
        "it's",
        "\"quoted\"",
        "both ' and \"",
        "back\\slash",
        "ends in \\",
        "ends in \\\\",
        "'\\",
        "\\'",
        "\\\"'",
        "'\\\\\\",
        "two\nlines",
        "two\r\nlines",
        "tab\tand \\t \\n \\0134 \\x41",
        "`id` $(id)",
        "ünïcödé 🦀",
        "=a=b",
        "'",
        "\"",
        "\\",
        "$",
        "'$",
        "'${A:-b}'",
        "'$$x'",
        "export X=1",
        "'\n#x\n'",
        "\u{7f}\u{1}'",
        "yes",
        "null",
        "012",
        "{a: b}",
        "- x",
        "%",
        "'%'",
        "'\u{2028}'",
    ]
    .map(str::to_owned)
    .to_vec();
    // All short words over the characters that mean something.
    let letters = ['\\', '\'', '"', '$', '{', 'a', '\n', '\r', '#', ' '];
    for a in letters {
        for b in letters {
            values.push(format!("{a}{b}"));
            for c in letters {
                values.push(format!("{a}{b}{c}"));
                values.push(format!("'{a}{b}{c}"));
            }
        }
    }
    values
}

#[test]
fn every_value_arrives_unchanged() {
    let Some(command) = compose() else {
        return;
    };
    let values = awkward();
    let names: Vec<String> = (0..values.len()).map(|i| format!("V{i}")).collect();
    let environment: Value = names
        .iter()
        .map(|n| (n.clone(), json!(format!("${{{n}}}"))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let compose =
        json!({"services": {"web": {"image": "a:1", "environment": environment}}}).to_string();
    let params: Vec<Value> = names.iter().map(|n| json!({"name": n})).collect();
    let manifest: Manifest = entry_with(&compose, &json!({"params": params}).to_string()).unwrap();
    let all = names
        .iter()
        .cloned()
        .zip(values.iter().map(|v| json!(v)))
        .collect::<serde_json::Map<_, _>>();
    let answers = manifest.resolve(&given(all.into()), &mut rng()).unwrap();
    let project = manifest.render(&answers, &container()).unwrap();
    let config = config(&command, &project);
    let seen = config["services"]["web"]["environment"]
        .as_object()
        .unwrap();
    for (name, value) in names.iter().zip(&values) {
        // `config` prints a file that compose could read again, in which a dollar is `$$`.
        let shown = seen[name].as_str().unwrap().replace("$$", "$");
        assert_eq!(&shown, value, "{name}");
    }
}
