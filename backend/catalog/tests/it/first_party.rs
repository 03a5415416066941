//! Every entry that the project ships is complete, valid, and rendered.

use std::collections::BTreeSet;

use catalog::{Health, Icon, Severity};
use serde_json::json;

use crate::support::{container, first_party, resolve, rng};

#[test]
fn all_of_them_load() {
    let catalog = first_party();
    assert_eq!(catalog.problems(), []);
    let ids: Vec<&str> = catalog.apps().map(|app| app.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "actual-budget",
            "freshrss",
            "gitea",
            "memos",
            "n8n",
            "ntfy",
            "postgresql",
            "uptime-kuma",
            "vaultwarden",
            "wordpress"
        ]
    );
}

#[test]
fn none_has_warnings() {
    for app in first_party().apps() {
        let worse: Vec<_> = app
            .findings
            .iter()
            .filter(|f| f.severity > Severity::Note)
            .collect();
        assert!(worse.is_empty(), "{}: {worse:#?}", app.id);
    }
}

#[test]
fn each_is_complete() {
    let catalog = first_party();
    let categories: BTreeSet<&str> = catalog.categories().iter().map(|c| c.id.as_str()).collect();
    for app in catalog.apps() {
        let id = &app.id;
        assert!(
            categories.contains(app.category.as_str()),
            "{id}: {}",
            app.category
        );
        assert!(!app.tagline.is_empty() && app.tagline.len() < 90, "{id}");
        assert!(app.readme.starts_with("# "), "{id}");
        assert!(app.licence.is_some(), "{id}");
        assert!(app.links.contains_key("source"), "{id}");
        assert_eq!(app.icon, Some(Icon::File("icon.svg".to_owned())), "{id}");
        let (media_type, bytes) = app.icon_bytes().unwrap();
        assert_eq!(media_type, "image/svg+xml");
        assert!(bytes.starts_with(b"<svg "), "{id}");
        assert!(
            !app.tags.is_empty() && !app.data.is_empty() && app.first_run.is_some(),
            "{id}"
        );
        assert!(
            app.consents.is_empty(),
            "{id}: a shipped app asks for nothing special"
        );
        assert!(app.smoke().unwrap().is_some(), "{id}");
        for service in app.services() {
            let image = service.image.as_deref().unwrap();
            assert!(
                image.contains(':') && !image.ends_with(":latest"),
                "{id}: {image}"
            );
            assert!(service.restart.as_deref() == Some("unless-stopped"), "{id}");
        }
    }
}

#[test]
fn each_deploys_with_no_answer_and_with_those_of_its_smoke_test() {
    for app in first_party().apps() {
        let smoke = app.smoke().unwrap().unwrap();
        for given in [serde_json::Map::new(), smoke.params.clone()] {
            let answers = app
                .resolve(&given, &mut rng())
                .unwrap_or_else(|e| panic!("{}: {e:?}", app.id));
            let project = app
                .render(&answers, &container())
                .unwrap_or_else(|e| panic!("{}: {e}", app.id));
            let paths: Vec<&str> = project.files.iter().map(|f| f.path.as_str()).collect();
            for wanted in [".env", "compose.override.yaml", "compose.yaml"] {
                assert!(paths.contains(&wanted), "{}: {paths:?}", app.id);
            }
            let compose = project
                .files
                .iter()
                .find(|f| f.path == "compose.yaml")
                .unwrap();
            assert_eq!(
                Some(compose.bytes.as_slice()),
                app.file("compose.yaml"),
                "byte for byte"
            );
            assert_eq!(project.services.len(), app.services().len());
            assert!(!project.images.is_empty());

            let endpoints = app.endpoints_for(&answers, container().ip);
            assert_eq!(endpoints.len(), app.endpoints.len(), "{}", app.id);
            assert_eq!(
                endpoints.iter().filter(|e| e.primary).count(),
                1,
                "{}",
                app.id
            );
            let health = app.health_for(&answers);
            assert_eq!(health.len(), app.health.len(), "{}", app.id);
            if let Health::Http { port, path, .. } = &health[0] {
                assert!(endpoints.iter().any(|e| e.port == *port));
                assert!(path.starts_with('/'));
            }
        }
    }
}

#[test]
fn no_endpoint_tells_a_secret() {
    for app in first_party().apps() {
        let answers = app.resolve(&serde_json::Map::new(), &mut rng()).unwrap();
        let shown = serde_json::to_string(&app.endpoints_for(&answers, container().ip)).unwrap()
            + &format!("{answers:?} {:?}", app.first_run_for(&answers))
            + &serde_json::to_string(app).unwrap();
        for (name, answer) in answers.values.iter().filter(|(_, a)| a.secret) {
            let secret = answer.value.as_str().unwrap();
            assert!(secret.len() >= 24, "{}: {name}", app.id);
            assert!(!shown.contains(secret), "{}: {name} is shown", app.id);
        }
    }
}

#[test]
fn postgresql_is_tuned_to_its_container() {
    let catalog = first_party();
    let app = catalog.get("postgresql").unwrap();
    let answers = resolve(
        app,
        json!({"PROFILE": "hdd", "MAX_CONNECTIONS": "50", "LISTEN_PORT": 5433}),
    )
    .unwrap();
    let render = |memory_mib| {
        let context = catalog::RenderContext {
            memory_mib,
            ..container()
        };
        let project = app.render(&answers, &context).unwrap();
        let file = project
            .files
            .into_iter()
            .find(|f| f.path == "postgresql.conf")
            .unwrap();
        assert_eq!(file.mode, 0o644);
        String::from_utf8(file.bytes).unwrap()
    };
    insta::assert_snapshot!(render(2048));
    assert!(render(512).contains("shared_buffers = 128MB"));

    let endpoints = app.endpoints_for(&answers, container().ip);
    assert_eq!(endpoints[0].port, 5433);
    assert_eq!(
        endpoints[0].connect.as_deref(),
        Some("postgres://app:***@192.0.2.7:5433/app")
    );
    assert_eq!(
        app.first_run_for(&answers).unwrap().username.as_deref(),
        Some("app")
    );
    let Health::Exec {
        command, service, ..
    } = &app.health_for(&answers)[0]
    else {
        panic!("its health is a command");
    };
    assert_eq!(
        (service.as_str(), command.join(" ").as_str()),
        ("postgres", "pg_isready -U app -d app")
    );
}

#[test]
fn wordpress_as_files() {
    let catalog = first_party();
    let app = catalog.get("wordpress").unwrap();
    let answers = resolve(app, json!({})).unwrap();
    let project = app.render(&answers, &container()).unwrap();
    let text = |path: &str| {
        let file = project.files.iter().find(|f| f.path == path).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    insta::assert_snapshot!(text("compose.override.yaml"));
    let env = answers
        .values
        .values()
        .filter(|a| a.secret)
        .fold(text(".env"), |env, answer| {
            env.replace(answer.value.as_str().unwrap(), "(32 letters and digits)")
        });
    insta::assert_snapshot!(env);
    assert_eq!(
        project
            .files
            .iter()
            .find(|f| f.path == ".env")
            .unwrap()
            .mode,
        0o600,
        "secrets are for root alone"
    );
    assert!(project.files.iter().any(|f| f.path == "files/uploads.ini"));
    insta::assert_debug_snapshot!(project.images);
}
