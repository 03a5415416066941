//! A database of its own for each case, and the few things that all cases do with one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use api::{Network, OperationKind};
use chrono::DateTime;
use saga::{Event, Failure, Journal as _, Plan};
use serde_json::{Map, Value, json};
use store::{
    AppChange, AuditRecord, Begun, Deployment, Lease, ManualClock, NewApp, NewOperation,
    NewRelease, OperationJournal, Reserved, Store,
};
use tempfile::TempDir;

use crate::{postgres::schema, server::Postgres};

pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// Longer than a lease.
pub(crate) const FROZEN: Duration = Duration::from_secs(31);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    address: Address,
    _folder: Option<TempDir>,
}

enum Address {
    File(PathBuf),
    Url(String),
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::File(folder.path().join("store.db"));
        Self::new(address, Some(folder)).await
    }

    pub(crate) async fn on_postgres(server: &Postgres, name: &str) -> Self {
        Self::new(Address::Url(schema(server, name).await), None).await
    }

    async fn new(address: Address, folder: Option<TempDir>) -> Self {
        let clock = ManualClock::new(DateTime::from_timestamp(1_763_700_000, 0).unwrap());
        let store = open(&address, &clock).await;
        store.migrate().await.unwrap();
        Self {
            store,
            clock,
            address,
            _folder: folder,
        }
    }

    /// Another replica on the same database, with the same clock.
    pub(crate) async fn replica(&self) -> Store {
        open(&self.address, &self.clock).await
    }

    /// The database's address, for statements that the store does not make.
    pub(crate) fn url(&self) -> String {
        match &self.address {
            Address::File(path) => format!("sqlite://{}", path.display()),
            Address::Url(url) => url.clone(),
        }
    }

    /// Deploys an app as far as the queue.
    pub(crate) async fn deploy(&self, name: &str) -> Begun {
        self.store
            .operations()
            .deploy(deployment(&self.store, name))
            .await
            .unwrap()
    }

    pub(crate) async fn claim(&self, holder: &str) -> Lease {
        let lease = self.store.leases().claim_next(holder, LEASE).await.unwrap();
        lease.expect("there is an operation to claim")
    }

    /// Deploys an app and completes that.
    pub(crate) async fn installed(&self, name: &str) -> Begun {
        let begun = self.deploy(name).await;
        let lease = self.claim("installer").await;
        assert_eq!(lease.operation, begun.operation.id, "nothing else waits");
        let change = AppChange::to(api::AppState::Running);
        self.store
            .leases()
            .finish(&lease, &saga::Outcome::Completed, change)
            .await
            .unwrap();
        begun
    }

    pub(crate) fn journal(&self, lease: &Lease) -> OperationJournal {
        self.store.journal(lease, plan())
    }

    /// A deployment of this name that is stuck because a step could not be undone.
    pub(crate) async fn stuck(&self, name: &str) -> Begun {
        let begun = self.deploy(name).await;
        let lease = self.claim("worker").await;
        let journal = self.journal(&lease);
        for event in [started("create"), failed("create"), undo_failed("create")] {
            journal.append(&event, &json!({})).await.unwrap();
        }
        let outcome = saga::Outcome::Stuck {
            step: "create".to_owned(),
            failure: failure(),
            unwinding: true,
        };
        self.store
            .leases()
            .finish(&lease, &outcome, AppChange::none())
            .await
            .unwrap();
        begun
    }
}

async fn open(address: &Address, clock: &ManualClock) -> Store {
    let clock = Arc::new(clock.clone());
    match address {
        Address::File(path) => Store::open(path, clock).await.unwrap(),
        Address::Url(url) => Store::connect(url, clock).await.unwrap(),
    }
}

pub(crate) fn deployment(store: &Store, name: &str) -> Deployment {
    let mut parameters = Map::new();
    parameters.insert("PORT".to_owned(), json!(8080));
    Deployment {
        app: NewApp {
            id: store.new_app_id(),
            name: name.to_owned(),
            hostname: name.to_lowercase().replace(' ', "-"),
            nonce: "0123456789abcdef".to_owned(),
            reserved: Reserved {
                cores: 2,
                memory: 512 << 20,
                swap: 0,
                disk: 8 << 30,
            },
            network: Network {
                vlan: Some(7),
                ..Network::default()
            },
            parameters,
            sealed: vec![0, 1, 255].into(),
            endpoints: Vec::new(),
            owner: "ada".to_owned(),
        },
        release: NewRelease {
            catalog_id: "whoami".to_owned(),
            version: "1.11.0".to_owned(),
            revision: 2,
            bundle: b"services: {}".to_vec(),
        },
        state: json!({ "asked": name }),
        idempotency: None,
        audit: audit("app.deploy", name),
    }
}

pub(crate) fn request(app: api::AppId, kind: OperationKind) -> NewOperation {
    NewOperation {
        kind,
        app,
        state: Value::Null,
        requested_by: "ada".to_owned(),
        change: AppChange::none(),
        idempotency: None,
        audit: audit("app.change", "whoami"),
    }
}

pub(crate) fn audit(action: &str, target: &str) -> AuditRecord {
    AuditRecord {
        principal: "ada".to_owned(),
        action: action.to_owned(),
        target: target.to_owned(),
        ..AuditRecord::default()
    }
}

/// `create · start · publish(pivot) · clean`
pub(crate) fn plan() -> Plan {
    Plan {
        kind: "deploy",
        names: vec!["create", "start", "publish", "clean"],
        pivot: Some(2),
    }
}

pub(crate) fn started(step: &str) -> Event {
    Event::Started {
        step: step.to_owned(),
    }
}

pub(crate) fn checkpoint(step: &str) -> Event {
    Event::Checkpoint {
        step: step.to_owned(),
    }
}

pub(crate) fn finished(step: &str) -> Event {
    Event::Finished {
        step: step.to_owned(),
    }
}

pub(crate) fn failed(step: &str) -> Event {
    Event::Failed {
        step: step.to_owned(),
        failure: failure(),
    }
}

pub(crate) fn undo_failed(step: &str) -> Event {
    Event::UndoFailed {
        step: step.to_owned(),
        failure: Failure::new("locked", "It is locked."),
    }
}

pub(crate) fn failure() -> Failure {
    Failure::new("no_space", "There is no space.")
        .evidence("0 bytes free")
        .hint("Free some.")
}

/// What everything answers to a driver whose lease is lost.
pub(crate) fn refused(answer: &store::Result<()>) {
    assert!(matches!(answer, Err(store::Error::LeaseLost)), "{answer:?}");
}
