//! Compose files of public stores, where they are at hand: each is understood or refused with a located sentence.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use catalog::{Manifest, Severity, check_compose};

use crate::support::{container, workspace};

fn compose_files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let ending = path.extension().unwrap_or_default();
        let yaml = ending == "yml" || ending == "yaml";
        if path.is_dir() {
            compose_files(&path, all);
        } else if yaml && (name.contains("compose") || folder.ends_with("coolify/compose")) {
            all.push(path);
        }
    }
}

#[test]
fn compose_files_of_public_stores() {
    let corpora = workspace().join("../shared/corpora");
    if !corpora.is_dir() {
        println!("skipped: the corpora are not here");
        return;
    }
    // Coolify leaves volumes undeclared and Runtipi a network: compose refuses that, and an importer mends it.
    for (store, least, understood) in [
        ("dokploy", 360, 360),
        ("coolify", 280, 20),
        ("runtipi", 260, 25),
        ("casaos", 150, 150),
    ] {
        let mut files = Vec::new();
        compose_files(&corpora.join(store), &mut files);
        let mut accepted = 0;
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for path in &files {
            let bytes = fs::read(path).unwrap();
            let started = Instant::now();
            let found = check_compose(&bytes, None);
            assert!(
                started.elapsed() < Duration::from_secs(2),
                "{}",
                path.display()
            );
            let errors: Vec<_> = found
                .iter()
                .filter(|f| f.severity == Severity::Error)
                .collect();
            assert!(
                found.iter().all(|f| f.line > 0 && f.column > 0),
                "{}: {found:?}",
                path.display()
            );
            if errors.is_empty() {
                accepted += 1;
                let manifest = Manifest::from_compose("app", &bytes).unwrap();
                manifest
                    .render(&manifest.defaults(), &container())
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            }
            for error in errors {
                let reason: String = error
                    .message
                    .split('`')
                    .step_by(2)
                    .collect::<Vec<_>>()
                    .join("…");
                *reasons.entry(reason).or_default() += 1;
            }
        }
        println!(
            "{store}: {accepted} of {} understood; {reasons:#?}",
            files.len()
        );
        assert!(files.len() >= least, "{store}: {}", files.len());
        assert!(accepted >= understood, "{store}: {accepted}");
    }
}
