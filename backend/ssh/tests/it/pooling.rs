//! Connections: how many, for how long, and for whom.

use std::time::{Duration, Instant};

use futures::future::join_all;
use ssh::{Command, Error, Pool};

use crate::sshd::{Sshd, eventually};

#[tokio::test]
async fn twenty_commands_share_two_connections() {
    let Some(sshd) = Sshd::start() else { return };
    let mut settings = sshd.settings();
    settings.sessions_per_node = 2;
    let pool = Pool::new(settings);
    let host = sshd.host();
    // $PPID of the login shell is the sshd process that serves the connection
    let script = "ps -o ppid= -p $(ps -o ppid= -p $PPID)";
    let runs = (0..20).map(|n| {
        let command = Command::new(["sh", "-c", "echo $0; cat", &n.to_string()]).stdin(script);
        pool.run(&host, command)
    });
    for (n, output) in join_all(runs).await.into_iter().enumerate() {
        assert_eq!(
            output.unwrap().ok().unwrap().stdout_text(),
            format!("{n}\n{script}")
        );
    }
    assert_eq!(sshd.sessions().len(), 2);
}

#[tokio::test]
async fn waiters_are_served_in_order() {
    let Some(sshd) = Sshd::start() else { return };
    let mut settings = sshd.settings();
    settings.sessions_per_node = 1;
    let pool = Pool::new(settings);
    let host = sshd.host();
    let log = sshd.text("log-of-runs");
    let runs = (0..8).map(|n| {
        let command = Command::new(["sh", "-c", "echo $0 >> \"$1\"", &n.to_string(), &log]);
        pool.run(&host, command)
    });
    for output in join_all(runs).await {
        output.unwrap().ok().unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(log).unwrap(),
        "0\n1\n2\n3\n4\n5\n6\n7\n"
    );
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_silently() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let host = sshd.host();
    pool.run(&host, Command::new(["true"])).await.unwrap();
    let old = sshd.sessions();
    assert_eq!(old.len(), 1);
    sshd.kill_sessions();
    eventually("the old connection is gone", || sshd.sessions().is_empty()).await;
    pool.run(&host, Command::new(["true"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_ne!(sshd.sessions(), old);
}

#[tokio::test]
async fn a_kept_connection_that_is_dead_silent_is_replaced_too() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let host = sshd.host();
    pool.run(&host, Command::new(["true"])).await.unwrap();
    let old = sshd.sessions()[0];
    // a stopped server answers nothing, yet the kernel keeps its connection
    crate::sshd::kill(old, "STOP");
    let begun = Instant::now();
    pool.run(&host, Command::new(["true"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(9));
    assert!(sshd.sessions().iter().any(|session| *session != old));
}

#[tokio::test]
async fn a_closed_pool_lets_go() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let host = sshd.host();
    pool.run(&host, Command::new(["true"])).await.unwrap();
    assert_eq!(sshd.sessions().len(), 1);
    pool.close().await;
    eventually("the connection is closed", || sshd.sessions().is_empty()).await;
    let error = pool
        .clone()
        .run(&host, Command::new(["true"]))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Closed), "{error}");
}
