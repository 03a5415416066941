//! Commands that are listened to.

use futures::StreamExt as _;
use ssh::{Command, Error, Stream};

use crate::sshd::{Sshd, busybox, eventually, runs};

#[tokio::test]
async fn lines_come_until_the_command_ends() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let guests = if busybox(&sshd) {
        &[101, 103][..]
    } else {
        &[101]
    };
    for vmid in guests {
        let command = Command::new([
            "sh",
            "-c",
            "echo one; sleep 0.2; echo Grüße; printf unfinished",
        ]);
        let lines = pool.pct_stream(&sshd.host(), *vmid, command).await.unwrap();
        let lines: Vec<_> = lines.map(|line| line.unwrap()).collect().await;
        let expected = ["one", "Grüße", "unfinished"].map(|line| (Stream::Stdout, line.to_owned()));
        assert_eq!(lines, expected, "in {vmid}");
    }
}

#[tokio::test]
async fn a_failure_comes_last() {
    let Some(sshd) = Sshd::start() else { return };
    let command = Command::new(["sh", "-c", "echo no such service >&2; exit 14"]);
    let mut lines = sshd
        .pool()
        .pct_stream(&sshd.host(), 101, command)
        .await
        .unwrap();
    let line = lines.next().await.unwrap().unwrap();
    assert_eq!(line, (Stream::Stderr, "no such service".to_owned()));
    let error = lines.next().await.unwrap().unwrap_err();
    assert!(
        matches!(&error, Error::Failed { code: 14, message } if message == "no such service"),
        "{error}"
    );
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_container_that_is_not_there_is_told_at_once() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    for (vmid, running) in [(102, false), (7, true)] {
        let result = pool
            .pct_stream(&sshd.host(), vmid, Command::new(["true"]))
            .await;
        match result.err() {
            Some(Error::ContainerNotRunning { .. }) => assert!(!running),
            Some(Error::NotOnThisNode { .. }) => assert!(running),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn dropping_the_stream_ends_a_silent_command() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let guests = if busybox(&sshd) {
        &[101, 103][..]
    } else {
        &[101]
    };
    for vmid in guests {
        // it says nothing more, so it would never notice by itself
        let command = Command::new(["sh", "-c", "echo $$; exec sleep 60"]);
        let mut lines = pool.pct_stream(&sshd.host(), *vmid, command).await.unwrap();
        let (_, pid) = lines.next().await.unwrap().unwrap();
        let pid = pid.parse().unwrap();
        assert!(runs(pid));
        drop(lines);
        eventually("the followed command has ended", || !runs(pid)).await;
        eventually("its connection is gone", || sshd.sessions().is_empty()).await;
    }
}

#[tokio::test]
async fn followers_leave_the_commands_their_connections() {
    let Some(sshd) = Sshd::start() else { return };
    let mut settings = sshd.settings();
    settings.sessions_per_node = 1;
    let pool = ssh::Pool::new(settings);
    let host = sshd.host();
    let command = || Command::new(["sleep", "60"]);
    let mut streams = Vec::new();
    for _ in 0..32 {
        streams.push(pool.pct_stream(&host, 101, command()).await.unwrap());
    }
    let error = pool.pct_stream(&host, 101, command()).await.err().unwrap();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    pool.run(&host, Command::new(["true"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
    streams.pop();
    pool.pct_stream(&host, 101, command())
        .await
        .map(drop)
        .unwrap();
}

#[tokio::test]
async fn a_stream_that_is_cut_says_so() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let command = Command::new(["sh", "-c", "echo $$; exec sleep 60"]);
    let mut lines = pool.pct_stream(&sshd.host(), 101, command).await.unwrap();
    let (_, pid) = lines.next().await.unwrap().unwrap();
    sshd.kill_sessions();
    let error = lines.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    assert!(lines.next().await.is_none());
    let pid = pid.parse().unwrap();
    eventually("the followed command has ended", || !runs(pid)).await;
}
