use std::io::BufReader;

use saga::Journal as _;
use serde_json::{Value, json};
use store::{AppChange, AuditFilter, Error, PageRequest, Store, SystemClock};

use crate::{
    World,
    world::{LEASE, started},
};

pub(crate) async fn rows_go_to_another_database_and_back(world: &World) {
    let done = world.installed("whoami").await;
    world.stuck("memos").await;
    let under_way = world.deploy("ntfy").await;
    let driver = world.claim("worker").await;
    world
        .store
        .note(&driver, "create", "a line with \u{0}, \"quotes\" and ü");
    world
        .journal(&driver)
        .append(&started("create"), &json!({"vmid": 104}))
        .await
        .unwrap();
    let duty = world.store.duties();
    let duty = duty.claim("sweep", "one", LEASE).await.unwrap().unwrap();

    let (copy, dumped) = dump(&world.store).await;
    assert_eq!(dumped.rows + 12, copy.lines().count() as u64, "12 tables");

    // Into a file that never had a schema, whatever the copy came from.
    let folder = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::new(SystemClock);
    let other = Store::open(&folder.path().join("other.db"), clock)
        .await
        .unwrap();
    assert!(other.is_unused().await.unwrap());
    let rows = load(&other, &copy, &dumped.migrations).await.unwrap();
    assert_eq!(rows, dumped.rows);
    assert!(!other.is_unused().await.unwrap());
    let (there, again) = dump(&other).await;
    assert_eq!(again.rows, rows);
    assert_eq!(settled(&copy), settled(&there));
    assert_eq!(
        other.apps().get(done.app.id).await.unwrap(),
        world.store.apps().get(done.app.id).await.unwrap()
    );
    assert_eq!(
        other
            .operations()
            .state(under_way.operation.id)
            .await
            .unwrap(),
        json!({"vmid": 104})
    );

    // Back over what is there, which has gone on meanwhile.
    world.deploy("later").await;
    let newest = world.store.events().newest().await.unwrap();
    load(&world.store, &there, &again.migrations).await.unwrap();
    let (back, _) = dump(&world.store).await;
    assert_eq!(settled(&copy), settled(&back));
    assert!(world.store.apps().find("later").await.is_err());

    // Whoever drove before is refused, somebody else may go on, and numbers go on from the higher end.
    let refused = world
        .journal(&driver)
        .append(&started("create"), &json!({}))
        .await;
    assert!(
        matches!(refused, Err(saga::Interrupted::LeaseLost)),
        "{refused:?}"
    );
    let refused = world.store.duties().renew(&duty, LEASE).await;
    assert!(matches!(refused, Err(Error::LeaseLost)));
    let next = world.claim("another").await;
    assert_eq!(next.operation, under_way.operation.id);
    assert!(next.generation() > driver.generation());
    world
        .store
        .leases()
        .finish(&next, &saga::Outcome::Completed, AppChange::none())
        .await
        .unwrap();
    assert!(world.store.events().newest().await.unwrap() > newest);
    world
        .store
        .audit()
        .record(&store::AuditRecord {
            principal: "admin".to_owned(),
            action: "test".to_owned(),
            target: "numbers".to_owned(),
            ..store::AuditRecord::default()
        })
        .await
        .unwrap();
    let audit = world.store.audit();
    let page = audit
        .list(&AuditFilter::default(), &PageRequest::first(1))
        .await
        .unwrap();
    assert_eq!(page.items[0].target, "numbers");
}

pub(crate) async fn a_broken_copy_changes_nothing(world: &World) {
    world.installed("whoami").await;
    let (copy, dumped) = dump(&world.store).await;
    let cut = &copy[..copy.len() - 3];
    let stranger = copy.replace("{\"table\":\"users\"", "{\"table\":\"pg_authid\"");
    let injected = copy.replacen("[\"id\",\"text\"]", "[\"id\\\") --\",\"text\"]", 1);
    let typed = copy.replacen("[\"id\",\"text\"]", "[\"id\",\"integer\"]", 1);
    let doubled = format!("{copy}{}\n", copy.lines().last().unwrap());
    for broken in [
        cut,
        &stranger,
        &injected,
        &typed,
        &doubled,
        "nonsense\n",
        "[1]\n",
    ] {
        load(&world.store, broken, &dumped.migrations)
            .await
            .unwrap_err();
    }
    let newer = [
        &dumped.migrations[..],
        &["m29990101_000001_teleport".to_owned()],
    ]
    .concat();
    for steps in [&newer[..], &dumped.migrations[1..], &[]] {
        let error = load(&world.store, &copy, steps).await.unwrap_err();
        assert!(matches!(error, Error::NotACopy(_)), "{error:?}");
    }
    assert_eq!(dump(&world.store).await.0, copy);
}

pub(crate) async fn a_copy_of_an_older_schema_is_brought_up_to_date(world: &World) {
    let copy = "{\"table\":\"settings\",\"columns\":[[\"name\",\"text\"],[\"value\",\"text\"],[\"updated_at\",\"time\"]]}\n\
                [\"kept\",\"yes\",\"2026-11-21T08:00:00.000001Z\"]\n\
                {\"table\":\"counters\",\"columns\":[[\"name\",\"text\"],[\"value\",\"integer\"]]}\n\
                [\"events\",7]\n";
    let (_, dumped) = dump(&world.store).await;
    let rows = load(&world.store, copy, &dumped.migrations[..4])
        .await
        .unwrap();
    assert_eq!(rows, 2);
    assert_eq!(world.store.pending_migrations().await.unwrap(), 0);
    let kept = world.store.settings().get("kept").await.unwrap();
    assert_eq!(kept.as_deref(), Some("yes"));
}

async fn dump(store: &Store) -> (String, store::Dumped) {
    let mut copy = Vec::new();
    let dumped = store.dump(&mut copy).await.unwrap();
    (String::from_utf8(copy).unwrap(), dumped)
}

async fn load(store: &Store, copy: &str, migrations: &[String]) -> store::Result<u64> {
    store
        .load(&mut BufReader::new(copy.as_bytes()), migrations)
        .await
}

/// The rows without what a restore changes on purpose, and in an order of their own: leases, and how far numbers are.
fn settled(copy: &str) -> Vec<String> {
    let mut changing = Vec::new();
    let mut rows = Vec::new();
    for line in copy.lines() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        if let Some(columns) = value.get("columns").and_then(Value::as_array) {
            let names = columns.iter().map(|column| column[0].as_str().unwrap());
            let is_counter = value["table"] == "counters";
            changing = names
                .map(|name| {
                    matches!(
                        name,
                        "generation" | "lease_holder" | "lease_until" | "holder"
                    ) || (is_counter && name == "value")
                })
                .collect();
            continue;
        }
        for (value, changing) in value.as_array_mut().unwrap().iter_mut().zip(&changing) {
            if *changing {
                *value = Value::Null;
            }
        }
        rows.push(value.to_string());
    }
    rows.sort();
    rows
}
