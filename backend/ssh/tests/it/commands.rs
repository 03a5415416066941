//! What goes in and comes out of a command on the node.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ssh::{Command, Error, Stream};

use crate::sshd::Sshd;

/// Arguments that a shell, a terminal or a locale would like to have an opinion about.
pub(crate) const ODD: [&str; 14] = [
    "plain",
    "",
    " two  spaces ",
    "it's",
    "\"double\"",
    "$HOME ${x} $(id)",
    "`id`",
    "a;b|c&d>e<f",
    "back\\slash\\",
    "*?[a]{b,c}~!#",
    "-n",
    "--",
    "KEY=value",
    "%s\\n",
];

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let Some(sshd) = Sshd::start() else { return };
    let odd = ODD
        .iter()
        .copied()
        .chain(["Grüße, 日本", "two\nlines\n", "\t\u{7f}\u{81}\r"]);
    let argv = ["printf", "%s\\0"].into_iter().chain(odd.clone());
    let output = sshd
        .pool()
        .run(&sshd.host(), Command::new(argv))
        .await
        .unwrap();
    let seen: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    let expected: Vec<&[u8]> = odd.map(str::as_bytes).chain([&b""[..]]).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn three_megabytes_go_in_while_three_come_out() {
    let Some(sshd) = Sshd::start() else { return };
    let bytes: Vec<u8> = (0..3 * 1024 * 1024_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    // both outputs at once, as fast as they go
    let command = Command::new(["sh", "-c", "tee /dev/fd/2"])
        .stdin(bytes.clone())
        .keep(8 * 1024 * 1024);
    let output = sshd.pool().run(&sshd.host(), command).await.unwrap();
    assert_eq!(output.code, 0);
    assert!(
        output.stdout == bytes,
        "stdout differs, {} bytes",
        output.stdout.len()
    );
    assert!(
        output.stderr == bytes,
        "stderr differs, {} bytes",
        output.stderr.len()
    );

    let command = Command::new(["cat"]).stdin(bytes.clone());
    let output = sshd.pool().run(&sshd.host(), command).await.unwrap();
    assert_eq!(output.stdout.len(), 1024 * 1024);
    assert_eq!(output.dropped, 2 * 1024 * 1024);
    assert!(bytes.ends_with(&output.stdout));
}

#[tokio::test]
async fn input_that_nobody_reads_does_not_hang() {
    let Some(sshd) = Sshd::start() else { return };
    let command =
        Command::new(["sh", "-c", "head -c 3; exit 9"]).stdin(vec![b'x'; 5 * 1024 * 1024]);
    let output = sshd.pool().run(&sshd.host(), command).await.unwrap();
    assert_eq!((output.code, output.stdout), (9, b"xxx".to_vec()));
}

#[tokio::test]
async fn without_input_its_end_comes_at_once() {
    let Some(sshd) = Sshd::start() else { return };
    let output = sshd
        .pool()
        .run(&sshd.host(), Command::new(["wc", "-c"]))
        .await
        .unwrap();
    assert_eq!(output.stdout_text().trim(), "0");
}

#[tokio::test]
async fn every_exit_code_is_told_as_it_is() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    for code in [0, 1, 2, 7, 124, 126, 127, 137, 143, 255] {
        let command = Command::new(["sh", "-c", "echo said >&2; exit $0", &code.to_string()]);
        let output = pool.run(&sshd.host(), command).await.unwrap();
        assert_eq!(output.code, code);
        assert_eq!(output.stderr, b"said\n");
        assert_eq!(output.ok().is_ok(), code == 0);
    }
    let killed = Command::new(["sh", "-c", "kill -9 $$"]);
    assert_eq!(pool.run(&sshd.host(), killed).await.unwrap().code, 137);
    let missing = Command::new(["no-such-program"]);
    assert_eq!(pool.run(&sshd.host(), missing).await.unwrap().code, 127);
}

#[tokio::test]
async fn a_script_comes_by_standard_input() {
    let Some(sshd) = Sshd::start() else { return };
    let script = "set -eu\nfor word; do printf '<%s>' \"$word\"; done\nprintf 'Grüße' >&2\n";
    let command = Command::script(script, ["one two", "$3"]);
    let output = sshd
        .pool()
        .run(&sshd.host(), command)
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(output.stdout_text(), "<one two><$3>");
    assert_eq!(output.stderr_text(), "Grüße");
}

#[tokio::test]
async fn lines_are_told_while_the_command_runs() {
    let Some(sshd) = Sshd::start() else { return };
    let go = sshd.text("go");
    let told = Arc::new(Mutex::new(Vec::new()));
    // The command waits for a file that is only made once its first line was heard.
    let script = "echo first; while [ ! -e \"$0\" ]; do sleep 0.05; done; printf 'last' >&2";
    let command = Command::new(["sh", "-c", script, &go])
        .deadline(Duration::from_secs(20))
        .on_line({
            let told = Arc::clone(&told);
            move |stream, line| {
                std::fs::write(&go, "").unwrap();
                told.lock().unwrap().push((stream, line.to_owned()));
            }
        });
    sshd.pool()
        .run(&sshd.host(), command)
        .await
        .unwrap()
        .ok()
        .unwrap();
    let expected = [
        (Stream::Stdout, "first".to_owned()),
        (Stream::Stderr, "last".to_owned()),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test]
async fn what_stays_in_the_background_does_not_hold_the_caller() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let command = Command::new(["sh", "-c", "echo started; sleep 30 & echo $!"]);
    let output = pool
        .run(&sshd.host(), command.deadline(Duration::from_secs(20)))
        .await
        .unwrap();
    let text = output.stdout_text();
    let (word, pid) = text.trim().split_once('\n').unwrap();
    assert_eq!((output.code, word), (0, "started"));
    let pid = pid.parse().unwrap();
    assert!(crate::sshd::runs(pid));
    crate::sshd::kill(pid, "KILL");
    pool.run(&sshd.host(), Command::new(["true"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
}

#[tokio::test]
async fn a_command_that_cannot_be_sent_is_refused() {
    let Some(sshd) = Sshd::start() else { return };
    for argv in [
        vec![],
        vec!["echo".to_owned(), "a\0b".to_owned()],
        vec!["x".repeat(200_000)],
    ] {
        let error = sshd
            .pool()
            .run(&sshd.host(), Command::new(argv))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }
}
