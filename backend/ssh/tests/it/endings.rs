//! How commands end when they do not end well: late, abandoned, cut off.

use std::time::{Duration, Instant};

use ssh::{Command, Error};

use crate::sshd::{Sshd, busybox, eventually, runs};

/// A process id that a command wrote into a file of its own.
fn pid(sshd: &Sshd, name: &str) -> Option<u32> {
    std::fs::read_to_string(sshd.path(name))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// A command that writes its process id down and then waits for half a minute.
fn waiting(sshd: &Sshd, name: &str) -> Command {
    let script = "echo here; echo $$ > \"$0\"; exec sleep 30";
    Command::new(["sh", "-c", script, &sshd.text(name)])
}

#[tokio::test]
async fn the_far_side_ends_what_takes_too_long() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let guests = if busybox(&sshd) {
        &[101, 103][..]
    } else {
        &[101]
    };
    for vmid in guests {
        let name = format!("pid{vmid}");
        let command = waiting(&sshd, &name).deadline(Duration::from_secs(3));
        let error = pool
            .pct_exec(&sshd.host(), *vmid, command)
            .await
            .unwrap_err();
        let Error::TimedOut {
            after,
            ended,
            output,
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(
            (*after, *ended),
            (Duration::from_secs(3), true),
            "in {vmid}"
        );
        assert_eq!(output.stdout_text(), "here\n");
        let pid = pid(&sshd, &name).unwrap();
        eventually("the process has ended", || !runs(pid)).await;
    }
    // its connection is as good as new
    let before = sshd.sessions();
    assert_eq!(before.len(), 1);
    pool.run(&sshd.host(), Command::new(["true"]))
        .await
        .unwrap();
    assert_eq!(sshd.sessions(), before);
}

#[tokio::test]
async fn a_far_side_that_hangs_is_given_up() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let begun = Instant::now();
    let command = Command::new(["true"]).deadline(Duration::from_millis(500));
    let error = pool.pct_exec(&sshd.host(), 104, command).await.unwrap_err();
    assert!(
        matches!(error, Error::TimedOut { ended: false, .. }),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    eventually("its connection was thrown away", || {
        sshd.sessions().is_empty()
    })
    .await;
    crate::sshd::kill(pid(&sshd, "bin/frozen").unwrap(), "KILL");
}

#[tokio::test]
async fn a_dropped_command_drops_its_connection_and_frees_its_place() {
    let Some(sshd) = Sshd::start() else { return };
    let mut settings = sshd.settings();
    settings.sessions_per_node = 1;
    let pool = ssh::Pool::new(settings);
    let host = sshd.host();
    {
        let running = pool.pct_exec(
            &host,
            101,
            waiting(&sshd, "pid").deadline(Duration::from_secs(20)),
        );
        let mut running = std::pin::pin!(running);
        tokio::select! {
            ended = &mut running => panic!("{ended:?}"),
            () = eventually("it runs", || pid(&sshd, "pid").is_some()) => {}
        }
        assert_eq!(sshd.sessions().len(), 1);
    }
    eventually("its connection is gone", || sshd.sessions().is_empty()).await;
    pool.run(&host, Command::new(["true"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
    // nothing but its own bound ends what a container already runs
    crate::sshd::kill(pid(&sshd, "pid").unwrap(), "KILL");
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_is_an_unknown_outcome() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let host = sshd.host();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let command = waiting(&sshd, "pid").on_line(move |_, _| tell.send(()).unwrap());
    let (ended, ()) = tokio::join!(pool.pct_exec(&host, 101, command), async {
        told.recv().await.unwrap();
        eventually("it runs", || pid(&sshd, "pid").is_some()).await;
        sshd.kill_sessions();
    });
    let error = ended.unwrap_err();
    let Error::Cut { node, output, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(node, "pve1");
    assert_eq!(output.stdout_text(), "here\n");
    crate::sshd::kill(pid(&sshd, "pid").unwrap(), "KILL");
    pool.run(&host, Command::new(["true"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
}

#[tokio::test]
async fn a_command_that_is_ended_from_outside_is_an_unknown_outcome() {
    let Some(sshd) = Sshd::start() else { return };
    // the shell around the command is the parent of its `timeout`
    let script = "echo half; kill -9 $(ps -o ppid= -p $PPID)";
    let command = Command::new(["sh", "-c", script]);
    let error = sshd
        .pool()
        .pct_exec(&sshd.host(), 101, command)
        .await
        .unwrap_err();
    let Error::Cut { reason, output, .. } = &error else {
        panic!("{error}")
    };
    assert!(reason.contains("KILL"), "{reason}");
    assert_eq!(output.stdout_text(), "half\n");
}
