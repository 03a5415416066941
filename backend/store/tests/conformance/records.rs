use std::time::Duration;

use api::AuditOutcome;
use store::{AuditFilter, AuditRecord, Error, PageRequest};

use crate::{World, world::audit};

pub(crate) async fn host_keys_are_learnt_once(world: &World) {
    let replica = world.replica().await;
    let (here, there) = (world.store.known_hosts(), replica.known_hosts());
    assert_eq!(here.find("pve1").await.unwrap(), None);
    let (one, two) = tokio::join!(
        here.learn("pve1", "ssh-ed25519 A"),
        there.learn("pve1", "ssh-ed25519 B")
    );
    assert_eq!(
        one.as_ref().unwrap(),
        two.as_ref().unwrap(),
        "both go on with the same key"
    );
    assert_eq!(here.find("pve1").await.unwrap(), Some(one.unwrap()));
    assert_eq!(here.list().await.unwrap()[0].learnt_at, world.store.now());
    here.forget("pve1").await.unwrap();
    assert!(matches!(
        here.forget("pve1").await,
        Err(Error::NotFound("host key"))
    ));
    assert_eq!(
        there.learn("pve1", "ssh-ed25519 C").await.unwrap(),
        "ssh-ed25519 C"
    );
}

pub(crate) async fn settings_are_set_once_by_the_first(world: &World) {
    let settings = world.store.settings();
    assert_eq!(settings.get("key_check").await.unwrap(), None);
    assert_eq!(settings.set_once("key_check", "one").await.unwrap(), "one");
    assert_eq!(settings.set_once("key_check", "two").await.unwrap(), "one");
    settings.set("key_check", "three").await.unwrap();
    assert_eq!(
        settings.get("key_check").await.unwrap().as_deref(),
        Some("three")
    );
}

pub(crate) async fn the_audit_log_is_paged(world: &World) {
    let log = world.store.audit();
    for number in 0..12 {
        let mut record = audit("session.create", &format!("user-{number}"));
        record.outcome = AuditOutcome::Denied;
        record.detail = Some("wrong password \0".to_owned());
        record.principal = if number == 0 {
            "eve".to_owned()
        } else {
            record.principal
        };
        log.record(&record).await.unwrap();
    }
    let (mut request, mut targets) = (PageRequest::first(5), Vec::new());
    loop {
        let page = log.list(&AuditFilter::default(), &request).await.unwrap();
        targets.extend(page.items.iter().map(|entry| entry.target.clone()));
        if page.next.is_none() {
            break;
        }
        request = request.after(&page);
    }
    assert_eq!(
        targets,
        (0..12)
            .rev()
            .map(|number| format!("user-{number}"))
            .collect::<Vec<_>>()
    );
    let eve = AuditFilter {
        principal: Some("eve".to_owned()),
        ..AuditFilter::default()
    };
    let eve = log.list(&eve, &PageRequest::default()).await.unwrap();
    assert_eq!((eve.items.len(), eve.next), (1, None));
    assert_eq!(eve.items[0].time, world.store.now());
    assert_eq!(
        eve.items[0].detail.as_deref(),
        Some("wrong password \u{fffd}")
    );
}

pub(crate) async fn the_audit_log_is_filtered(world: &World) {
    let log = world.store.audit();
    let begun = world.store.now();
    for (action, target) in [
        ("app.deploy", "blog"),
        ("app.delete", "blog"),
        ("app.deploy", "shop"),
        ("apple.pick", "blog"),
    ] {
        log.record(&audit(action, target)).await.unwrap();
        world.clock.advance(Duration::from_mins(1));
    }
    let denied = AuditRecord {
        outcome: AuditOutcome::Denied,
        ..audit("session.create", "")
    };
    log.record(&denied).await.unwrap();

    let found = async |filter: AuditFilter| {
        let page = log.list(&filter, &PageRequest::default()).await.unwrap();
        let entries = page.items.into_iter();
        entries.map(|entry| entry.action).collect::<Vec<_>>()
    };
    let action = |action: &str| AuditFilter {
        action: Some(action.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(found(action("app.deploy")).await.len(), 2);
    assert_eq!(
        found(action("app")).await,
        ["app.deploy", "app.delete", "app.deploy"]
    );
    for nothing in ["a%", "_pp", "app%.deploy", "APP.DEPLOY", ""] {
        assert_eq!(found(action(nothing)).await, [""; 0], "{nothing}");
    }
    let blog = AuditFilter {
        target: Some("blog".to_owned()),
        ..action("app")
    };
    assert_eq!(found(blog).await, ["app.delete", "app.deploy"]);
    let denied = AuditFilter {
        outcome: Some(AuditOutcome::Denied),
        ..AuditFilter::default()
    };
    assert_eq!(found(denied).await, ["session.create"]);
    let minute = AuditFilter {
        since: Some(begun + Duration::from_mins(1)),
        until: Some(begun + Duration::from_mins(2)),
        ..AuditFilter::default()
    };
    assert_eq!(found(minute).await, ["app.delete"]);
    let nobody = AuditFilter {
        principal: Some(String::new()),
        ..AuditFilter::default()
    };
    assert_eq!(found(nobody).await, [""; 0]);
}
