//! Commands in containers: arguments, environment, and what `pct` says when it cannot.

use ssh::{Command, Error};

use crate::commands::ODD;
use crate::sshd::{Sshd, busybox};

/// The containers that run: one with GNU's tools and one with busybox's.
fn guests(sshd: &Sshd) -> Vec<u32> {
    if busybox(sshd) {
        vec![101, 103]
    } else {
        vec![101]
    }
}

#[tokio::test]
async fn arguments_arrive_as_they_are_past_two_shells_and_pct() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    // every character that UTF-8 makes of two bytes: busybox's shell has marks of its own among those bytes
    let latin: String = ('\u{80}'..='\u{7ff}').collect();
    let control: String = ('\u{1}'..='\u{1f}').collect();
    let odd = [
        "Grüße, 日本 🚀",
        "two\nlines\n",
        "\n",
        &latin,
        &control,
        "'",
        "é'\"$x`",
    ];
    let packed: Vec<&str> = ODD.iter().copied().chain(odd).collect();
    for vmid in guests(&sshd) {
        for words in [&ODD[..], &packed] {
            let argv = ["printf", "%s\\0"].into_iter().chain(words.iter().copied());
            let output = pool
                .pct_exec(&sshd.host(), vmid, Command::new(argv))
                .await
                .unwrap();
            let text = output.ok().unwrap().stdout_text();
            let seen: Vec<&str> = text.split_terminator('\0').collect();
            assert_eq!(seen, words, "in {vmid}");
        }
    }
}

#[tokio::test]
async fn the_environment_is_the_containers_own() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let output = pool
        .pct_exec(&sshd.host(), 101, Command::new(["env"]))
        .await
        .unwrap();
    let text = output.stdout_text();
    let mut seen: Vec<&str> = text.lines().collect();
    seen.retain(|line| {
        !["PWD=", "SHLVL=", "_="]
            .iter()
            .any(|shells| line.starts_with(shells))
    });
    seen.sort_unstable();
    let expected = [
        "HOME=/root",
        "LANG=C.UTF-8",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "container=lxc",
    ];
    assert_eq!(seen, expected);
    // what pct and the node said before the command is not its output
    assert_eq!(output.stderr_text(), "");
}

#[tokio::test]
async fn codes_and_input_pass_through() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    for vmid in guests(&sshd) {
        for code in [0, 1, 2, 127, 143, 255] {
            let script = "read -r word; printf %s \"$word\"; printf oops >&2; exit $1";
            let argv = ["sh", "-c", script, "sh", &code.to_string()];
            let command = Command::new(argv).stdin("hello\n");
            let output = pool.pct_exec(&sshd.host(), vmid, command).await.unwrap();
            assert_eq!(output.code, code, "in {vmid}");
            assert_eq!(
                (output.stdout, output.stderr),
                (b"hello".to_vec(), b"oops".to_vec())
            );
        }
    }
}

#[tokio::test]
async fn a_container_that_cannot_be_entered_is_told_apart() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let host = sshd.host();
    let run = |vmid| pool.pct_exec(&host, vmid, Command::new(["true"]));
    assert!(matches!(
        run(102).await,
        Err(Error::ContainerNotRunning { vmid: 102 })
    ));
    let error = run(999).await.unwrap_err();
    assert!(
        matches!(error, Error::NotOnThisNode { vmid: 999, .. }),
        "{error}"
    );
    assert_eq!(error.to_string(), "container 999 is not on pve1");
    // the same codes from the command itself are only codes
    let script = "echo \"container '101' not running!\" >&2; exit 255";
    let command = Command::new(["sh", "-c", script]);
    assert_eq!(
        pool.pct_exec(&sshd.host(), 101, command)
            .await
            .unwrap()
            .code,
        255
    );
}

#[tokio::test]
async fn a_node_without_pct_says_so() {
    let Some(sshd) = Sshd::start() else { return };
    std::fs::remove_file(sshd.path("bin/pct")).unwrap();
    let error = sshd
        .pool()
        .pct_exec(&sshd.host(), 101, Command::new(["true"]))
        .await
        .unwrap_err();
    let Error::NotStarted { code, message, .. } = &error else {
        panic!("{error}")
    };
    assert!(*code == 127 && message.contains("pct"), "{error}");
}

#[tokio::test]
async fn features_are_set_on_the_node() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    pool.pct_set_features(&sshd.host(), 101, "nesting=1,keyctl=1")
        .await
        .unwrap();
    let calls = std::fs::read_to_string(sshd.path("bin/calls")).unwrap();
    assert_eq!(calls, "set 101 --features nesting=1,keyctl=1\n");
    let error = pool
        .pct_set_features(&sshd.host(), 7, "nesting=1")
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::NotOnThisNode { vmid: 7, .. }),
        "{error}"
    );
    let error = pool
        .pct_set_features(&sshd.host(), 101, "nesting=1 --delete x")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
}
