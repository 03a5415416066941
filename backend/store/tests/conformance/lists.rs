use api::{OperationKind, OperationStatus};
use store::{AppChange, AppFilter, AuditFilter, Error, OperationFilter, PageRequest};

use crate::{World, world::request};

pub(crate) async fn pages_are_stable_under_inserts(world: &World) {
    for number in 0..7 {
        world.deploy(&format!("app-{number}")).await;
    }
    let mut request = PageRequest::first(3);
    let (mut apps, mut operations) = (Vec::new(), Vec::new());
    let mut cursors = (PageRequest::first(3), 0);
    loop {
        let page = world
            .store
            .apps()
            .list(&AppFilter::default(), &request)
            .await
            .unwrap();
        apps.extend(page.items.iter().map(|app| app.name.clone()));
        let other = world
            .store
            .operations()
            .list(&OperationFilter::default(), &cursors.0)
            .await
            .unwrap();
        operations.extend(
            other
                .items
                .iter()
                .map(|operation| operation.app.name.clone()),
        );
        // Somebody deploys while another one pages.
        cursors.1 += 1;
        world.deploy(&format!("meanwhile-{}", cursors.1)).await;
        if page.next.is_none() {
            assert_eq!(other.next, None);
            break;
        }
        request = request.after(&page);
        cursors.0 = cursors.0.after(&other);
    }
    let expected: Vec<String> = (0..7).rev().map(|number| format!("app-{number}")).collect();
    assert_eq!(apps, expected, "newest first, none twice, none missing");
    assert_eq!(operations, expected);
    assert_eq!(cursors.1, 3);
}

pub(crate) async fn filters_and_counts(world: &World) {
    let app = world.installed("blog").await.app.id;
    let stop = world
        .store
        .operations()
        .begin(request(app, OperationKind::Stop))
        .await
        .unwrap()
        .operation;
    let other = world.stuck_after(stop.id, "wiki").await;
    let operations = world.store.operations();
    let list = async |filter: OperationFilter| {
        let page = operations
            .list(&filter, &PageRequest::default())
            .await
            .unwrap();
        page.items
            .into_iter()
            .map(|operation| operation.id)
            .collect::<Vec<_>>()
    };
    let any = OperationFilter::default;
    assert_eq!(
        list(OperationFilter {
            statuses: vec![OperationStatus::Stuck],
            ..any()
        })
        .await,
        [other]
    );
    assert_eq!(
        list(OperationFilter {
            kind: Some(OperationKind::Stop),
            ..any()
        })
        .await,
        [stop.id]
    );
    assert_eq!(
        list(OperationFilter {
            app: Some(app),
            ..any()
        })
        .await
        .len(),
        2
    );
    assert_eq!(
        list(OperationFilter {
            live: true,
            ..any()
        })
        .await,
        [other, stop.id]
    );
    assert_eq!(list(any()).await.len(), 3);
    let several = OperationFilter {
        statuses: vec![OperationStatus::Stuck, OperationStatus::Running],
        ..any()
    };
    assert_eq!(list(several).await, [other, stop.id]);
    let named = |name: &str| OperationFilter {
        app_name: Some(name.to_owned()),
        ..any()
    };
    assert_eq!(list(named("nobody")).await, []);
    assert_eq!(list(named(&stop.app.name)).await.len(), 2);
    // Half-open: what begins with one page's end is not in both.
    let at = operations.get(other).await.unwrap().created_at;
    let (before, after) = (
        OperationFilter {
            until: Some(at),
            ..any()
        },
        OperationFilter {
            since: Some(at),
            ..any()
        },
    );
    let (before, after) = (list(before).await, list(after).await);
    assert!(after.contains(&other) && !before.contains(&other));
    assert_eq!(before.len() + after.len(), 3);
    is_counted(world).await;
}

async fn is_counted(world: &World) {
    let mut counts = world.store.operations().counts().await.unwrap();
    counts.sort_by_key(|(kind, status, _)| (kind.as_str(), status.as_str()));
    assert_eq!(
        counts,
        [
            (OperationKind::Deploy, OperationStatus::Completed, 1),
            (OperationKind::Deploy, OperationStatus::Stuck, 1),
            (OperationKind::Stop, OperationStatus::Running, 1),
        ]
    );
    let filter = AppFilter {
        catalog_id: Some("nothing".to_owned()),
        ..AppFilter::default()
    };
    assert!(
        world
            .store
            .apps()
            .list(&filter, &PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

pub(crate) async fn a_foreign_cursor_is_refused(world: &World) {
    let foreign = PageRequest {
        cursor: Some("' OR 1=1".to_owned()),
        limit: None,
    };
    let apps = world
        .store
        .apps()
        .list(&AppFilter::default(), &foreign)
        .await;
    assert!(matches!(apps, Err(Error::Invalid(_))));
    let operations = world
        .store
        .operations()
        .list(&OperationFilter::default(), &foreign)
        .await;
    assert!(matches!(operations, Err(Error::Invalid(_))));
    let audit = world
        .store
        .audit()
        .list(&AuditFilter::default(), &foreign)
        .await;
    assert!(matches!(audit, Err(Error::Invalid(_))));
}

impl World {
    /// A stuck deployment, while the operation `held` waits and is claimed before it.
    async fn stuck_after(&self, held: api::OperationId, name: &str) -> api::OperationId {
        let begun = self.deploy(name).await;
        assert_eq!(self.claim("worker").await.operation, held);
        let lease = self.claim("worker").await;
        let failure = crate::world::failure();
        let outcome = saga::Outcome::Stuck {
            step: "create".to_owned(),
            failure,
            unwinding: false,
        };
        self.store
            .leases()
            .finish(&lease, &outcome, AppChange::none())
            .await
            .unwrap();
        begun.operation.id
    }
}
