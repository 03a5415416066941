//! A catalog as a whole: broken entries beside good ones, search, `check`.

use std::fs;

use catalog::{Catalog, Severity, check, check_compose};

use crate::support::{COMPOSE, first_party, workspace};

fn catalog(files: &[(&str, &str)]) -> Catalog {
    Catalog::from_files(
        files
            .iter()
            .map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())),
    )
    .unwrap()
}

#[test]
fn a_broken_entry_spoils_only_itself() {
    let catalog = catalog(&[
        ("apps/good/compose.yaml", COMPOSE),
        ("apps/broken/compose.yaml", "services: [\n"),
        ("apps/empty/app.yaml", "name: Nothing\n"),
        ("apps/Bad_Name/compose.yaml", COMPOSE),
        ("imported/store/other/compose.yaml", COMPOSE),
        ("imported/store/good/compose.yaml", COMPOSE),
        ("apps/stray.txt", "x"),
        (
            "categories.yaml",
            "categories: [{id: media, name: Media}]\n",
        ),
        ("catalog.yaml", "schema: 9\n"),
    ]);
    let ids: Vec<&str> = catalog.apps().map(|a| a.id.as_str()).collect();
    assert_eq!(ids, ["good", "other"]);
    let problems: Vec<String> = catalog
        .problems()
        .iter()
        .map(|p| format!("{}: {}", p.entry, p.findings[0]))
        .collect();
    insta::assert_debug_snapshot!(problems);
    assert_eq!(catalog.get("good").unwrap().category, "other");
    assert_eq!(catalog.categories()[0].id, "media");
}

#[test]
fn search_ranks_the_name_first() {
    let catalog = first_party();
    let find = |q: &str| -> Vec<&str> {
        catalog
            .search(q, None)
            .iter()
            .map(|m| m.id.as_str())
            .collect()
    };
    assert_eq!(find("wordpress"), ["wordpress"]);
    assert_eq!(find("n8")[0], "n8n");
    assert_eq!(find("KUMA"), ["uptime-kuma"]);
    assert_eq!(find("note")[0], "memos");
    assert_eq!(find("database")[0], "postgresql");
    assert_eq!(find("git hosting"), ["gitea"]);
    assert_eq!(find("no such thing"), Vec::<&str>::new());
    assert_eq!(find("").len(), catalog.apps().count());
    let media = catalog.search("", Some("databases"));
    assert_eq!(media.len(), 1);
}

#[test]
fn check_takes_a_file_an_entry_or_a_catalog() {
    let catalog = workspace().join("catalog");
    let errors = |path: &std::path::Path| {
        let found = check(path).unwrap();
        found
            .into_iter()
            .filter(|f| f.severity == Severity::Error)
            .collect::<Vec<_>>()
    };
    assert_eq!(errors(&catalog), []);
    assert_eq!(errors(&catalog.join("apps/gitea")), []);
    assert_eq!(errors(&catalog.join("apps/gitea/compose.yaml")), []);
    assert!(check(&catalog.join("nowhere")).is_err());

    let folder = tempfile::tempdir().unwrap();
    let entry = folder.path().join("apps/thing");
    fs::create_dir_all(&entry).unwrap();
    fs::write(entry.join("compose.yaml"), "services:\n\tweb: {}\n").unwrap();
    assert_eq!(
        check(folder.path()).unwrap()[0].to_string(),
        "apps/thing/compose.yaml:2:2: error: A tab stands where YAML allows only spaces."
    );
    assert_eq!(check(&entry).unwrap()[0].file, "compose.yaml");
}

#[test]
fn a_pasted_pair_is_checked_under_its_own_name() {
    assert_eq!(
        check_compose(COMPOSE.as_bytes(), Some(b"id: some-app\nname: X\n")),
        []
    );
    let found = check_compose(COMPOSE.as_bytes(), Some(b"id: Not Good\n"));
    assert!(found[0].message.contains("must be the same"), "{found:?}");
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for id in ["good", "linked"] {
        let entry = folder.path().join("apps").join(id);
        fs::create_dir_all(entry.join("files")).unwrap();
        fs::write(entry.join("compose.yaml"), COMPOSE).unwrap();
    }
    let linked = folder.path().join("apps/linked");
    std::os::unix::fs::symlink("/etc/passwd", linked.join("files/passwd")).unwrap();
    let catalog = Catalog::from_dir(folder.path()).unwrap();
    assert!(catalog.get("good").is_some() && catalog.get("linked").is_none());
    let expected = "files/passwd: error: This is a symbolic link, and those are not followed.";
    assert_eq!(catalog.problems()[0].entry, "apps/linked");
    assert_eq!(catalog.problems()[0].findings[0].to_string(), expected);
    assert_eq!(check(&linked).unwrap()[0].to_string(), expected);
}

#[test]
fn the_last_good_version_is_kept() {
    let before = catalog(&[
        ("apps/a/compose.yaml", COMPOSE),
        ("apps/b/compose.yaml", COMPOSE),
    ]);
    let slip = catalog(&[
        ("apps/a/compose.yaml", "services: ["),
        ("apps/c/compose.yaml", COMPOSE),
    ]);
    let kept = slip.keeping(&before);
    let ids: Vec<&str> = kept.apps().map(|a| a.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"], "b was taken away, a only broken");
    assert_eq!(kept.problems().len(), 1);
}
