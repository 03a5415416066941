//! Tickets and tokens.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proxmox::{Auth, Error, NodeName, Vmid};
use serde_json::json;

use crate::server::{
    CSRF, Reply, Seen, Server, TICKET, UPID, client, data, decode, error, password, ticket, token,
};

fn node() -> NodeName {
    "pve1".parse().unwrap()
}

fn vmid() -> Vmid {
    "101".parse().unwrap()
}

fn nodes_or_task(seen: &Seen) -> Reply {
    if seen.method == "GET" {
        data(&json!([]))
    } else {
        data(&json!(UPID))
    }
}

/// Refuses every ticket but the one with this number.
fn takes_only(seen: &Seen, number: usize) -> Option<Reply> {
    let cookie = decode(seen.header("cookie").unwrap_or_default());
    let refused = || {
        Reply::Answer(
            "401 Permission denied - invalid PVE ticket".to_owned(),
            String::new(),
        )
    };
    (!cookie.ends_with(&format!("{TICKET}{number}"))).then(refused)
}

#[tokio::test]
async fn many_calls_need_one_login() {
    let server = Server::start(|seen, _| {
        if seen.path == "/access/ticket" {
            ticket(1)
        } else {
            nodes_or_task(seen)
        }
    })
    .await;
    let client = server.client();
    let calls = (
        client.nodes(),
        client.nodes(),
        client.guests(),
        client.nodes(),
    );
    let (a, b, c, d) = tokio::join!(calls.0, calls.1, calls.2, calls.3);
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    assert_eq!((server.logins().len(), server.calls().len()), (1, 4));
    let login = &server.logins()[0];
    assert_eq!(login.parameter("username").as_deref(), Some("root@pam"));
    assert_eq!(
        login.parameter("password").as_deref(),
        Some("pass word&=+%")
    );
}

#[tokio::test]
async fn the_cookie_is_encoded_and_only_changes_carry_the_csrf_token() {
    let server = Server::start(|seen, _| {
        if seen.path == "/access/ticket" {
            ticket(1)
        } else {
            nodes_or_task(seen)
        }
    })
    .await;
    let client = server.client();
    client.nodes().await.unwrap();
    client.start_container(&node(), vmid()).await.unwrap();
    client
        .delete_container(&node(), vmid(), proxmox::DeleteOptions::default())
        .await
        .unwrap();
    let calls = server.calls();
    for call in &calls {
        let cookie = call
            .header("cookie")
            .unwrap()
            .strip_prefix("PVEAuthCookie=")
            .unwrap();
        assert!(!cookie.contains(['+', '/', '=', ':', ';', ' ']), "{cookie}");
        assert_eq!(decode(cookie), format!("{TICKET}1"));
        assert_eq!(call.header("authorization"), None);
    }
    let expected = format!("{CSRF}1");
    let csrf: Vec<_> = calls
        .iter()
        .map(|call| call.header("CSRFPreventionToken"))
        .collect();
    assert_eq!(
        csrf,
        [None, Some(expected.as_str()), Some(expected.as_str())]
    );
}

#[tokio::test]
async fn a_ticket_refused_in_the_middle_is_replaced_once() {
    let logins = AtomicUsize::new(0);
    let server = Server::start(move |seen, _| {
        if seen.path == "/access/ticket" {
            return ticket(logins.fetch_add(1, Ordering::SeqCst) + 1);
        }
        takes_only(seen, 2).unwrap_or_else(|| nodes_or_task(seen))
    })
    .await;
    let client = server.client();
    // A change too: a refused ticket means that nothing was done.
    assert_eq!(
        client
            .start_container(&node(), vmid())
            .await
            .unwrap()
            .as_str(),
        UPID
    );
    let (logins, calls) = (server.logins(), server.calls());
    assert_eq!((logins.len(), calls.len()), (2, 2));
    assert_eq!(
        logins[1].parameter("password").as_deref(),
        Some("pass word&=+%")
    );
    assert_eq!(
        calls[1].header("CSRFPreventionToken"),
        Some(format!("{CSRF}2").as_str())
    );
    client.nodes().await.unwrap();
    assert_eq!(server.logins().len(), 2);
}

#[tokio::test]
async fn many_calls_with_a_refused_ticket_need_one_login_more() {
    let logins = AtomicUsize::new(0);
    let server = Server::start(move |seen, _| {
        if seen.path == "/access/ticket" {
            return ticket(logins.fetch_add(1, Ordering::SeqCst) + 1);
        }
        takes_only(seen, 2).unwrap_or_else(|| nodes_or_task(seen))
    })
    .await;
    let client = server.client();
    let (a, b, c) = tokio::join!(client.nodes(), client.nodes(), client.nodes());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(server.logins().len(), 2);
}

#[tokio::test]
async fn a_host_that_refuses_every_ticket_is_not_asked_for_ever() {
    let server = Server::logged_in(|_, _| {
        Reply::Answer(
            "401 permission denied - invalid PVE ticket".to_owned(),
            String::new(),
        )
    })
    .await;
    let error = server.client().nodes().await.unwrap_err();
    assert_eq!(
        error,
        Error::Unauthenticated {
            message: "permission denied - invalid PVE ticket".to_owned()
        }
    );
    assert_eq!((server.logins().len(), server.calls().len()), (2, 2));
}

#[tokio::test]
async fn an_old_ticket_is_renewed_with_itself() {
    let logins = AtomicUsize::new(0);
    let server = Server::start(move |seen, _| {
        if seen.path == "/access/ticket" {
            ticket(logins.fetch_add(1, Ordering::SeqCst) + 1)
        } else {
            nodes_or_task(seen)
        }
    })
    .await;
    let client = server.client();
    client.nodes().await.unwrap();
    pass(Duration::from_secs(3601)).await;
    client.nodes().await.unwrap();
    client.nodes().await.unwrap();
    // After more than its lifetime it is worth nothing, and the password is asked.
    pass(Duration::from_hours(2)).await;
    client.nodes().await.unwrap();
    let passwords: Vec<_> = server
        .logins()
        .iter()
        .map(|login| login.parameter("password").unwrap())
        .collect();
    assert_eq!(
        passwords,
        [
            "pass word&=+%".to_owned(),
            format!("{TICKET}1"),
            "pass word&=+%".to_owned()
        ]
    );
}

#[tokio::test]
async fn where_a_renewal_is_refused_the_password_is_asked() {
    let server = Server::start(|seen, _| match seen.parameter("password") {
        Some(password) if password.starts_with("PVE:") => {
            error("401 authentication failure", &json!({"data": null}))
        }
        Some(_) => ticket(1),
        None => nodes_or_task(seen),
    })
    .await;
    let client = server.client();
    client.nodes().await.unwrap();
    pass(Duration::from_secs(3601)).await;
    client.nodes().await.unwrap();
    assert_eq!(server.logins().len(), 3);
}

/// Lets time pass for everybody but the sockets.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_for_all_who_wait() {
    let server =
        Server::start(|_, _| Reply::Answer("401 authentication failure".to_owned(), String::new()))
            .await;
    let client = server.client();
    let (a, b, c) = tokio::join!(client.nodes(), client.guests(), client.version());
    let expected = Error::Unauthenticated {
        message: "authentication failure".to_owned(),
    };
    assert_eq!(
        (a.unwrap_err(), b.unwrap_err(), c.unwrap_err()),
        (expected.clone(), expected.clone(), expected)
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_second_factor_is_explained() {
    let server = Server::start(|_, _| data(&json!({"username": "root@pam", "ticket": "PVE:!tfa!x", "CSRFPreventionToken": "y", "NeedTFA": 1}))).await;
    let error = server.client().nodes().await.unwrap_err();
    let Error::Unauthenticated { message } = error else {
        panic!("{error}")
    };
    assert!(
        message.contains("second factor") && message.contains("API token"),
        "{message}"
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_login_goes_to_the_next_host_when_its_answer_is_lost() {
    let away = Server::start(|_, _| Reply::Cut).await;
    let there = Server::start(|seen, _| {
        if seen.path == "/access/ticket" {
            ticket(1)
        } else {
            nodes_or_task(seen)
        }
    })
    .await;
    client(&[&away, &there], password()).nodes().await.unwrap();
    assert_eq!((away.logins().len(), there.logins().len()), (1, 1));
}

#[tokio::test]
async fn a_token_needs_neither_login_nor_csrf_token() {
    let server = Server::start(|seen, _| nodes_or_task(seen)).await;
    let client = client(&[&server], token());
    client.start_container(&node(), vmid()).await.unwrap();
    let calls = server.seen();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        calls[0].header("authorization"),
        Some("PVEAPIToken=apps@pve!catalog=5ecre7-70ken")
    );
    assert_eq!(
        (
            calls[0].header("cookie"),
            calls[0].header("CSRFPreventionToken")
        ),
        (None, None)
    );
    assert!(!client.identity().may_set_features());
}

#[tokio::test]
async fn a_refused_token_is_refused_at_once() {
    let server =
        Server::start(|_, _| Reply::Answer("401 invalid token value!".to_owned(), String::new()))
            .await;
    let error = client(&[&server], token()).nodes().await.unwrap_err();
    assert_eq!(
        error,
        Error::Unauthenticated {
            message: "invalid token value!".to_owned()
        }
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_login_without_a_ticket_is_nonsense() {
    for answer in [
        json!({}),
        json!({"ticket": "x"}),
        json!(null),
        json!({"ticket": ["x"], "CSRFPreventionToken": "y"}),
    ] {
        let server = Server::start(move |_, _| data(&answer)).await;
        let error = server.client().nodes().await.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    }
    let auth = Auth::Password {
        user: "root@pam".to_owned(),
        password: "hunter2".into(),
    };
    let server =
        Server::start(|_, _| Reply::Answer("200 OK".to_owned(), "<html>hunter2".to_owned())).await;
    let error = client(&[&server], auth).nodes().await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}
