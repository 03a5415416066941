//! No text makes the crate panic, and whatever it accepts it can render.

use catalog::{Manifest, Severity, check_compose};
use proptest::prelude::*;

use crate::support::{container, entry_with, files, rng};

/// Pieces that YAML, compose and manifests are made of.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "services",
        "image",
        "ports",
        "volumes",
        "environment",
        "a",
        "b:1",
        "- ",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "&x ",
        "*x",
        "<<: ",
        "|",
        ">",
        "# ",
        "!!str ",
        "!reset ",
        "---",
        "...",
        "${A",
        ":-",
        ":?",
        "}",
        "$",
        "$$",
        "80:80",
        "~",
        "null",
        "true",
        "0x1F",
        "\t",
        "\u{feff}",
        "é",
        "params",
        "name",
        "type",
        "default",
        "x-proximity",
        "endpoints",
        "port",
        "health",
        "http",
        "depends_on",
        "env_file",
        "?",
        "%YAML 1.2\n",
    ]);
    prop_oneof![4 => words.prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn yaml_like() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = check_compose(&bytes, Some(&bytes));
    }

    #[test]
    fn random_yaml(compose in yaml_like(), app in yaml_like()) {
        for finding in check_compose(compose.as_bytes(), Some(app.as_bytes())) {
            prop_assert!(!finding.message.is_empty());
            prop_assert!(!finding.message.contains('\n'), "{finding}");
        }
    }

    #[test]
    fn good_compose_with_random_metadata(app in yaml_like()) {
        if let Ok(manifest) = entry_with(crate::support::COMPOSE, &app) {
            prop_assert!(manifest.findings.iter().all(|f| f.severity < Severity::Error));
            if let Ok(answers) = manifest.resolve(&serde_json::Map::new(), &mut rng()) {
                let _ = manifest.render(&answers, &container());
            }
        }
    }

    #[test]
    fn paths_of_a_project_never_leave_it(path in "[./a~\\\\-]{0,12}") {
        let files = files([("compose.yaml", crate::support::COMPOSE), ("templates/t.tera", "x")]);
        let mut with = files.clone();
        let app = serde_json::json!({"templates": [{"src": "templates/t.tera", "dest": path}]});
        with.insert("app.yaml".to_owned(), app.to_string().into_bytes());
        let mut beside = files;
        beside.insert(format!("files/{path}"), b"x".to_vec());
        for entry in [with, beside] {
            if let Ok(manifest) = Manifest::from_files("app", entry) {
                for file in manifest.render(&manifest.defaults(), &container()).unwrap().files {
                    prop_assert!(!file.path.starts_with(['/', '~']));
                    prop_assert!(file.path.split('/').all(|part| !matches!(part, "" | "." | "..")));
                }
            }
        }
    }
}
