use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, Database};
use store::{Error, Store};

use crate::World;

pub(crate) async fn is_migrated_once_by_two_replicas(world: &World) {
    assert_eq!(world.store.pending_migrations().await.unwrap(), 0);
    assert_eq!(
        world.store.migrate().await.unwrap(),
        0,
        "the second time there is nothing to do"
    );
    world.store.ping().await.unwrap();

    let database = Database::connect(world.url()).await.unwrap();
    for table in TABLES {
        database
            .execute_unprepared(&format!("DROP TABLE {table}"))
            .await
            .unwrap();
    }
    let (one, two) = (world.replica().await, world.replica().await);
    assert_ne!(one.pending_migrations().await.unwrap(), 0);
    let (first, second) = tokio::join!(one.migrate(), two.migrate());
    first.unwrap();
    second.unwrap();
    assert_eq!(two.pending_migrations().await.unwrap(), 0);
    world.deploy("whoami").await;
}

/// In an order in which no table is dropped before those that point to it.
const TABLES: [&str; 14] = [
    "events",
    "operations",
    "releases",
    "apps",
    "duties",
    "counters",
    "sessions",
    "tokens",
    "users",
    "idempotency_keys",
    "audit",
    "known_hosts",
    "settings",
    "seaql_migrations",
];

pub(crate) async fn newer_than_the_program_is_refused(world: &World) {
    let database = Database::connect(world.url()).await.unwrap();
    let future = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_teleport', 0)";
    database.execute_unprepared(future).await.unwrap();
    for answer in [
        world.store.migrate().await,
        world.store.pending_migrations().await,
    ] {
        let error = answer.unwrap_err();
        assert!(
            matches!(&error, Error::Newer { migration } if migration == "m29990101_000001_teleport")
        );
        assert!(
            error.to_string().contains("newer version of Proximity"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_file_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a name, with % and ?.db");
    let url = format!("sqlite://{}", path.display())
        .replace('%', "%25")
        .replace('?', "%3F")
        + "?mode=rwc";
    let store = Store::connect(&url, Arc::new(store::SystemClock))
        .await
        .unwrap();
    store.migrate().await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert!(
            entry
                .path()
                .to_str()
                .unwrap()
                .starts_with(path.to_str().unwrap()),
            "{entry:?}"
        );
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{entry:?}"
        );
    }
    store.close().await.unwrap();
    assert!(matches!(store.ping().await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let clock = || Arc::new(store::SystemClock);
    let missing = folder.path().join("no/such/folder/store.db");
    assert!(matches!(
        Store::open(&missing, clock()).await,
        Err(Error::Unusable(_))
    ));
    let url = format!(
        "postgres://u:hunter2@localhost/d?host={}",
        folder.path().display()
    );
    let error = Store::connect(&url, clock()).await.unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error:?}");
    assert!(error.to_string().contains("does not answer"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}
