//! Several hosts, and answers that do not come.

use proxmox::{Error, NodeName, Trust, Vmid};
use serde_json::json;

use crate::server::{Reply, Seen, Server, UPID, client, connect, data, nobody, token};

fn node() -> NodeName {
    "pve1".parse().unwrap()
}

fn vmid() -> Vmid {
    "101".parse().unwrap()
}

fn works(seen: &Seen, _number: usize) -> Reply {
    if seen.method == "GET" {
        data(&json!([]))
    } else {
        data(&json!(UPID))
    }
}

#[tokio::test]
async fn a_host_that_is_away_is_passed_over_and_the_good_one_kept() {
    let there = Server::start(works).await;
    let hosts = vec![nobody().await, there.host.clone()];
    let client = connect(hosts, token(), Trust::Fingerprints(vec![there.fingerprint]));
    client.nodes().await.unwrap();
    // A change too: a connection that was never made has carried nothing.
    client.start_container(&node(), vmid()).await.unwrap();
    assert_eq!(there.seen().len(), 2);

    let (first, second) = (
        Server::start(|_, number| {
            if number == 0 {
                Reply::Cut
            } else {
                data(&json!([]))
            }
        })
        .await,
        Server::start(works).await,
    );
    let client = self::client(&[&first, &second], token());
    for _ in 0..3 {
        client.nodes().await.unwrap();
    }
    assert_eq!((first.seen().len(), second.seen().len()), (1, 3));
}

#[tokio::test]
async fn when_all_are_away_each_is_named() {
    let hosts = vec![nobody().await, nobody().await];
    let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let client = connect(
        hosts,
        token(),
        Trust::Fingerprints(vec![proxmox::Fingerprint::of(b"")]),
    );
    let error = client.start_container(&node(), vmid()).await.unwrap_err();
    assert!(error.is_transient());
    let Error::Unreachable { host, reason } = error else {
        panic!("{error}")
    };
    assert!(names.iter().all(|name| host.contains(name)), "{host}");
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn a_host_that_is_not_trusted_outweighs_one_that_is_away() {
    let stranger = Server::start(works).await;
    let hosts = vec![stranger.host.clone(), nobody().await];
    let client = connect(
        hosts,
        token(),
        Trust::Fingerprints(vec![proxmox::Fingerprint::of(b"")]),
    );
    let error = client.nodes().await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_unknown_and_never_sent_again() {
    let lost: [fn() -> Reply; 4] = [
        || Reply::Cut,
        || Reply::Hang,
        || Reply::Short("200 OK".to_owned(), "{\"data\":\"UPID:".to_owned()),
        || Reply::Answer("200 OK".to_owned(), "<html>".to_owned()),
    ];
    for lose in lost {
        let (first, second) = (
            Server::start(move |_, _| lose()).await,
            Server::start(works).await,
        );
        let client = client(&[&first, &second], token());
        let error = client.start_container(&node(), vmid()).await.unwrap_err();
        let Error::Unknown { call, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(call, "POST /nodes/pve1/lxc/101/status/start");
        assert!(!error.is_transient());
        assert_eq!((first.seen().len(), second.seen().len()), (1, 0));
    }
}

#[tokio::test]
async fn an_accepted_change_without_a_task_is_unknown() {
    for answer in [json!(null), json!("OK"), json!({"upid": UPID})] {
        let server = Server::start(move |_, _| data(&answer)).await;
        let error = client(&[&server], token())
            .start_container(&node(), vmid())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Unknown { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_is_asked_again_elsewhere() {
    let first =
        Server::start(|_, _| Reply::Short("200 OK".to_owned(), "{\"data\":[".to_owned())).await;
    let second = Server::start(works).await;
    client(&[&first, &second], token()).nodes().await.unwrap();
    assert_eq!((first.seen().len(), second.seen().len()), (1, 1));
    // One alone is asked twice.
    let error = client(&[&first], token()).nodes().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert_eq!(first.seen().len(), 3);
}

#[tokio::test]
async fn a_read_that_hangs_is_unreachable_in_time() {
    let server = Server::start(|_, _| Reply::Hang).await;
    let error = client(&[&server], token()).nodes().await.unwrap_err();
    let Error::Unreachable { reason, .. } = error else {
        panic!("{error}")
    };
    assert!(reason.contains("no answer within 3s"), "{reason}");
}

#[tokio::test]
async fn a_refusal_is_a_refusal_even_when_its_text_is_cut() {
    let server = Server::start(|_, _| {
        Reply::Short(
            "500 CT 101 already running".to_owned(),
            "{\"data\":null,\"mes".to_owned(),
        )
    })
    .await;
    let error = client(&[&server], token())
        .start_container(&node(), vmid())
        .await
        .unwrap_err();
    assert_eq!(error, Error::AlreadyRunning);
}

/// What a host does that closes a connection just when it is used again.
#[tokio::test]
async fn a_connection_closed_when_it_is_used_again_costs_nothing() {
    let server = Server::start(|seen, number| {
        if seen.before == 0 {
            works(seen, number)
        } else {
            Reply::Cut
        }
    })
    .await;
    let client = client(&[&server], token());
    for _ in 0..5 {
        client.nodes().await.unwrap();
        client.start_container(&node(), vmid()).await.unwrap();
    }
    let changes = server
        .seen()
        .into_iter()
        .filter(|seen| seen.method == "POST")
        .count();
    assert_eq!(changes, 5);
}
