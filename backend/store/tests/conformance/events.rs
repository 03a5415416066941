use std::time::Duration;

use api::{EventKind, OperationId};
use futures::future::join_all;
use saga::Journal as _;
use serde_json::json;
use store::{EventFilter, Follower};
use tokio::time::timeout;

use crate::{
    World,
    world::{LEASE, checkpoint, finished, plan, started},
};

const SOON: Duration = Duration::from_secs(20);

pub(crate) async fn pages_in_order_and_by_filter(world: &World) {
    let (one, two) = (world.deploy("one").await, world.deploy("two").await);
    let events = world.store.events();
    let lease = world.claim("worker").await;
    let journal = world.journal(&lease);
    for event in [started("create"), finished("create"), started("start")] {
        journal.append(&event, &json!({})).await.unwrap();
    }
    let all = events.after(0, EventFilter::default(), 100).await.unwrap();
    assert_eq!(
        all.iter().map(|event| event.id).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(events.newest().await.unwrap(), 5);
    let ids = |events: Vec<api::Event>| events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(
        ids(events.after(1, EventFilter::default(), 2).await.unwrap()),
        [2, 3]
    );
    assert_eq!(
        ids(events.last(EventFilter::default(), 2).await.unwrap()),
        [4, 5]
    );
    let first = EventFilter::operation(one.operation.id);
    assert_eq!(
        ids(events.after(0, first, 100).await.unwrap()),
        [1, 3, 4, 5]
    );
    let second = EventFilter {
        app: Some(two.app.id),
        ..EventFilter::default()
    };
    assert_eq!(ids(events.after(0, second, 100).await.unwrap()), [2]);
}

pub(crate) async fn notes_keep_their_order(world: &World) {
    let id = world.deploy("blog").await.operation.id;
    let lease = world.claim("worker").await;
    let journal = world.journal(&lease);
    journal
        .append(&started("create"), &json!({}))
        .await
        .unwrap();
    let mut expected = Vec::new();
    for number in 0..1200 {
        journal.note("create", &format!("line {number}"));
        expected.push(format!("line {number}"));
        if number == 500 {
            journal.flush().await.unwrap();
        }
    }
    world.store.note_image_progress(
        &lease,
        "create",
        json!({ "image": "whoami", "layers_done": 1 }),
    );
    journal
        .append(&finished("create"), &json!({}))
        .await
        .unwrap();
    let events = world
        .store
        .events()
        .after(0, EventFilter::operation(id), 2000)
        .await
        .unwrap();
    let lines: Vec<String> = events
        .iter()
        .filter_map(|event| event.message.clone())
        .collect();
    assert_eq!(lines, expected);
    let tail: Vec<EventKind> = events
        .iter()
        .rev()
        .take(3)
        .map(|event| event.kind)
        .collect();
    assert_eq!(
        tail,
        [
            EventKind::StepFinished,
            EventKind::ImageProgress,
            EventKind::StepLog
        ]
    );
    assert_eq!(events[1].kind, EventKind::StepStarted);
}

pub(crate) async fn hostile_lines_are_kept_readable(world: &World) {
    world.deploy("blog").await;
    let lease = world.claim("worker").await;
    let journal = world.journal(&lease);
    journal
        .append(&started("create"), &json!({}))
        .await
        .unwrap();
    for line in [
        "nul \0 here",
        "'; DROP TABLE apps; --",
        "\u{1b}[31mred\r\n",
        &"x".repeat(1 << 20),
    ] {
        journal.note("create", line);
    }
    journal.flush().await.unwrap();
    let events = world
        .store
        .events()
        .last(EventFilter::default(), 4)
        .await
        .unwrap();
    let lines: Vec<&str> = events
        .iter()
        .map(|event| event.message.as_deref().unwrap())
        .collect();
    assert_eq!(
        lines[..3],
        [
            "nul \u{fffd} here",
            "'; DROP TABLE apps; --",
            "\u{1b}[31mred\r\n"
        ]
    );
    assert!(lines[3].len() < 10_000);
}

pub(crate) async fn a_follower_is_woken(world: &World) {
    world.deploy("blog").await;
    let lease = world.claim("worker").await;
    let journal = world.journal(&lease);
    let mut follower = world
        .store
        .events()
        .follow(0, EventFilter::operation(lease.operation));
    assert_eq!(
        follower.next().await.unwrap()[0].kind,
        EventKind::OperationQueued
    );
    let (seen, ()) = tokio::join!(timeout(SOON, follower.next()), async {
        journal
            .append(&started("create"), &json!({}))
            .await
            .unwrap();
    });
    assert_eq!(seen.unwrap().unwrap()[0].kind, EventKind::StepStarted);

    // Lines reach the people who watch without another event.
    let watched = async {
        journal.note("create", "hello");
        timeout(SOON, follower.next()).await
    };
    tokio::select! {
        error = journal.keep_flushing() => panic!("{error}"),
        seen = watched => assert_eq!(seen.unwrap().unwrap()[0].message.as_deref(), Some("hello")),
    }
    assert_eq!(
        follower.position(),
        world.store.events().newest().await.unwrap()
    );
}

pub(crate) async fn a_follower_sees_another_replica(world: &World) {
    let replica = world.replica().await;
    let mut follower = replica.events().follow(0, EventFilter::default());
    let (seen, _) = tokio::join!(timeout(SOON, follower.next()), world.deploy("blog"));
    assert_eq!(seen.unwrap().unwrap()[0].kind, EventKind::OperationQueued);
}

/// Many writers on two replicas, followers that start at different times: each sees every event once, in order.
/// Numbers that a database gives out by itself fail here, because they appear in another order than they are given.
pub(crate) async fn numbers_appear_in_the_order_of_commits(world: &World) {
    const WRITERS: usize = 8;
    const EACH: usize = 15;
    let replica = world.replica().await;
    for number in 0..WRITERS {
        world.deploy(&format!("app-{number}")).await;
    }
    let write = |number: usize| {
        let store = if number.is_multiple_of(2) {
            world.store.clone()
        } else {
            replica.clone()
        };
        async move {
            let lease = store
                .leases()
                .claim_next("worker", LEASE)
                .await
                .unwrap()
                .unwrap();
            let journal = store.journal(&lease, plan());
            journal
                .append(&started("create"), &json!({}))
                .await
                .unwrap();
            for _ in 1..EACH {
                journal
                    .append(&checkpoint("create"), &json!({}))
                    .await
                    .unwrap();
            }
        }
    };
    let total = i64::try_from(WRITERS * (EACH + 1)).unwrap();
    let follow = |mut follower: Follower| async move {
        let mut seen = Vec::new();
        while seen.last() != Some(&total) {
            let events = timeout(SOON, follower.next())
                .await
                .expect("events keep coming")
                .unwrap();
            seen.extend(events.into_iter().map(|event| event.id));
        }
        seen
    };
    let followers = [&world.store, &replica, &world.store]
        .map(|store| follow(store.events().follow(0, EventFilter::default())));
    let (seen, _) = tokio::join!(join_all(followers), join_all((0..WRITERS).map(write)));
    for seen in seen {
        assert_eq!(seen, (1..=total).collect::<Vec<i64>>());
    }
}

/// They share what one of them reads, and some begin so late that it is not kept any more. Half of what happens is
/// another replica's. Each is handed every event of its own once, in order.
pub(crate) async fn many_followers_miss_nothing(world: &World) {
    const EACH: usize = 600;
    let replica = world.replica().await;
    let mut journals = Vec::new();
    for (name, store) in [("blog", &world.store), ("shop", &replica)] {
        world.deploy(name).await;
        let lease = store.leases().claim_next("worker", LEASE).await;
        let lease = lease.unwrap().unwrap();
        journals.push((lease.operation, store.journal(&lease, plan())));
    }
    let follow = |after: i64, operation: Option<OperationId>, count: usize| {
        let filter = operation.map_or_else(EventFilter::default, EventFilter::operation);
        let mut follower = world.store.events().follow(after, filter);
        async move {
            let mut seen: Vec<i64> = Vec::new();
            while seen.len() < count {
                let new = timeout(SOON, follower.next()).await;
                let new = new.expect("events keep coming").unwrap();
                assert!(
                    new.iter()
                        .all(|event| operation.is_none_or(|id| event.operation == id))
                );
                seen.extend(new.iter().map(|event| event.id));
            }
            assert_eq!(seen.len(), count);
            assert!(seen.is_sorted_by(|a, b| a < b) && seen[0] > after);
        }
    };
    let write = async {
        for number in 0..EACH {
            for (_, journal) in &journals {
                let event = if number == 0 {
                    started("create")
                } else {
                    checkpoint("create")
                };
                journal.append(&event, &json!({})).await.unwrap();
            }
        }
    };
    let (whole, one) = (2 * EACH + 2, EACH + 1);
    let of = |number: usize| Some(journals[number].0);
    let early = (0..20).flat_map(|_| {
        [
            follow(0, None, whole),
            follow(0, of(0), one),
            follow(0, of(1), one),
        ]
    });
    tokio::join!(join_all(early), write);
    let last = i64::try_from(whole).unwrap() - 5;
    tokio::join!(
        follow(0, None, whole),
        follow(0, of(0), one),
        follow(last, None, 5)
    );
}

/// On PostgreSQL the look and the write share prepared statements, connection by connection.
pub(crate) async fn looking_whether_it_can_be_written_disturbs_no_writer(world: &World) {
    for round in 0..20 {
        world.store.prove_writable().await.unwrap();
        world.deploy(&format!("app-{round}")).await;
    }
}
