//! Apps that come back, and what a look at the cluster says of an app.

use api::{AppState, OperationKind};
use saga::Outcome;
use store::{Adoption, AppChange, Error, Found, Hidden, NewRelease};

use crate::{
    World,
    world::{deployment, request},
};

fn adoption(world: &World, name: &str, vmid: u32) -> Adoption {
    Adoption {
        deployment: deployment(&world.store, name),
        vmid,
        node: "pve1".to_owned(),
        storage: Some("local-lvm".to_owned()),
        created_at: None,
    }
}

pub(crate) async fn an_app_is_adopted_taken_back_and_adopted_again(world: &World) {
    let operations = world.store.operations();
    let adoption = adoption(world, "notes", 105);
    let begun = operations.adopt(adoption.clone()).await.unwrap();
    assert_eq!(begun.operation.kind, OperationKind::Adopt);
    assert_eq!(
        (begun.app.vmid, begun.app.node.as_deref()),
        (Some(105), Some("pve1"))
    );
    let twice = operations.adopt(adoption.clone()).await.unwrap_err();
    assert!(matches!(twice, Error::Conflict(_)), "{twice:?}");

    let lease = world.claim("worker").await;
    let release = NewRelease {
        catalog_id: "found".to_owned(),
        version: "2".to_owned(),
        revision: 1,
        bundle: b"files".to_vec(),
    };
    let found = Found {
        release,
        parameters: [("TITLE".to_owned(), "x".into())].into_iter().collect(),
        sealed: Hidden(b"sealed".to_vec()),
    };
    let apps = world.store.apps();
    apps.found(&lease, found.clone()).await.unwrap();
    apps.found(&lease, found).await.expect("again");
    let app = apps.get(begun.app.id).await.unwrap();
    assert_eq!(
        (app.catalog_id.as_str(), &app.sealed.0[..]),
        ("found", &b"sealed"[..])
    );
    let release = world.store.releases().get(app.release).await.unwrap();
    assert_eq!((release.number, &release.bundle[..]), (1, &b"files"[..]));
    apps.forget_answers(&lease, Hidden(b"none".to_vec()))
        .await
        .unwrap();
    let gone = AppChange::to(AppState::Deleted);
    let leases = world.store.leases();
    leases
        .finish(&lease, &Outcome::Completed, gone)
        .await
        .unwrap();

    let again = operations.adopt(adoption).await.unwrap();
    assert_eq!(again.app.id, begun.app.id, "under its own id");
    assert_eq!(again.app.deleted_at, None);
    assert_eq!(again.app.created_at, begun.app.created_at);
    let releases = world.store.releases().of(again.app.id).await.unwrap();
    assert_eq!(releases.len(), 2, "history stays");
}

pub(crate) async fn an_adoption_takes_nobodys_name_or_number(world: &World) {
    let operations = world.store.operations();
    let first = adoption(world, "notes", 105);
    operations.adopt(first).await.unwrap();
    let same_name = operations.adopt(adoption(world, "notes", 106)).await;
    assert!(
        matches!(same_name, Err(Error::NameTaken { .. })),
        "{same_name:?}"
    );
    let same_number = operations.adopt(adoption(world, "other", 105)).await;
    assert!(
        matches!(same_number, Err(Error::VmidTaken { vmid: 105 })),
        "{same_number:?}"
    );
    assert_eq!(
        world.store.apps().reserved_vmids().await.unwrap().len(),
        1,
        "nothing is left of what was refused"
    );
}

pub(crate) async fn a_look_never_speaks_over_an_operation(world: &World) {
    let apps = world.store.apps();
    let id = world.installed("notes").await.app.id;
    let attention = || async { apps.get(id).await.unwrap().attention };
    assert!(apps.attend(id, Some("it is gone")).await.unwrap());
    assert!(!apps.attend(id, Some("it is gone")).await.unwrap(), "said");
    assert!(apps.attend(id, Some("it is stopped")).await.unwrap());
    assert_eq!(attention().await.as_deref(), Some("it is stopped"));
    assert!(apps.attend(id, None).await.unwrap());
    assert_eq!(attention().await, None);

    let stop = request(id, OperationKind::Stop);
    world.store.operations().begin(stop).await.unwrap();
    assert!(!apps.attend(id, Some("it is gone")).await.unwrap(), "busy");
    let lease = world.claim("worker").await;
    let told = AppChange::none().attention(Some("said by an operation"));
    let leases = world.store.leases();
    leases
        .finish(&lease, &Outcome::Completed, told)
        .await
        .unwrap();
    assert!(!apps.attend(id, Some("it is gone")).await.unwrap());
    assert!(!apps.attend(id, None).await.unwrap());
    assert_eq!(attention().await.as_deref(), Some("said by an operation"));
}
