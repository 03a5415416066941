//! Processes in a guest, through `lxc-attach`: argv without a shell, three separate streams, the exit code.

use std::process::{ExitStatus, Stdio};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;

use super::super::{Output, Process};
use super::command::Tool;

/// lxc-attach's own code for "it did not come to that".
const NOT_ATTACHED: i32 = 1;

/// Runs a process to its end. When the future is dropped the process goes on, with its streams closed, as one
/// does whose SSH session ends.
pub(super) async fn run(attach: Tool, process: Process) -> i32 {
    let Process {
        argv,
        env,
        stdin,
        output,
        killed,
    } = process;
    let mut command = command(attach, &argv, &env);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let text = Bytes::from(format!("lxc-attach: {error}\n"));
            let _ = output.send(Output::Stderr(text)).await;
            return NOT_ATTACHED;
        }
    };
    let input = child.stdin.take().expect("stdin was asked for");
    let stdout = child.stdout.take().expect("stdout was asked for");
    let stderr = child.stderr.take().expect("stderr was asked for");

    let streams = async {
        tokio::join!(
            forward(stdout, &output, Output::Stdout),
            forward(stderr, &output, Output::Stderr)
        );
    };
    let end = async {
        // What the process has not read when it ends is nobody's.
        tokio::select! {
            biased;
            status = child.wait() => status,
            () = feed(input, stdin) => child.wait().await,
        }
    };
    // A process that leaves its output to a child of its own keeps the caller waiting for that one, as sshd does.
    let both = async { tokio::join!(end, streams).0 };
    tokio::select! {
        status = both => status.map_or(NOT_ATTACHED, code),
        () = killed.cancelled() => 128 + 9,
    }
}

fn command(attach: Tool, argv: &[String], env: &[(String, String)]) -> Command {
    let variables = env
        .iter()
        .flat_map(|(name, value)| ["-v".to_owned(), format!("{name}={value}")]);
    let mut command = attach
        .arg("--clear-env")
        .args(variables)
        .arg("--")
        .args(argv)
        .into_command();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(false);
    command
}

/// Passes input on until its sender is dropped, then closes it; ends early when nobody reads any more.
async fn feed(mut input: ChildStdin, mut from: mpsc::Receiver<Bytes>) {
    while let Some(piece) = from.recv().await {
        if input.write_all(&piece).await.is_err() {
            return;
        }
    }
}

/// Passes output on as it comes. Without a receiver the pipe is closed, and the writer learns of it.
async fn forward(
    mut from: impl AsyncRead + Unpin,
    to: &mpsc::Sender<Output>,
    wrap: fn(Bytes) -> Output,
) {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                if to
                    .send(wrap(Bytes::copy_from_slice(&buffer[..count])))
                    .await
                    .is_err()
                {
                    return;
                }
            }
        }
    }
}

/// The exit code as a shell would tell it.
fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(NOT_ATTACHED)
}
