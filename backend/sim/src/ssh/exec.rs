//! `pct exec` and `pct push`: from a node into its guests.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::node::Link;
use crate::faults::Action;
use crate::guests::{Output, Process};
use crate::unix::{Call, Done};

const EXEC_USAGE: &str = "pct exec <vmid> [<extra-args>] [OPTIONS]";
const PUSH_USAGE: &str = "pct push <vmid> <file> <destination> [OPTIONS]";

/// What `die` ends a Perl program with when no system call failed.
const DIED: i32 = 255;
/// `ENOENT`, which Perl ends with when the file was missing.
const MISSING: i32 = 2;

async fn die<T>(call: &Call, code: i32, message: &str) -> Result<T, i32> {
    call.err(format!("{message}\n")).await;
    Err(code)
}

/// Refuses guests of other nodes and guests that do not run.
async fn check(link: &Link, call: &Call, vmid: &str, usage: &str) -> Result<u32, i32> {
    let number = vmid.parse::<u32>().ok().filter(|number| *number >= 100);
    let Some(number) = number else {
        return die(call, DIED, &format!("400 Parameter verification failed.\nvmid: type check ('integer') failed - got '{vmid}'\n{usage}")).await;
    };
    let node = &link.node;
    if node.cluster.owner(number).as_deref() != Some(node.name.as_str()) {
        return die(
            call,
            MISSING,
            &format!(
                "Configuration file 'nodes/{}/lxc/{number}.conf' does not exist",
                node.name
            ),
        )
        .await;
    }
    if !node.cluster.guests().is_running(number).await {
        return die(call, DIED, &format!("container '{number}' not running!")).await;
    }
    Ok(number)
}

/// What `pct exec` is told: guest, whether the environment is kept, and the command.
struct Order {
    vmid: String,
    keep_env: bool,
    argv: Vec<String>,
}

/// Reads the arguments as `Getopt::Long` does: options anywhere before `--`.
fn order(words: &[String], old: bool) -> Result<Order, String> {
    let mut order = Order {
        vmid: String::new(),
        keep_env: true,
        argv: Vec::new(),
    };
    let mut plain = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            plain.extend(words.by_ref().cloned());
            break;
        }
        let Some(option) = word
            .strip_prefix("--")
            .or_else(|| word.strip_prefix('-'))
            .filter(|option| !option.is_empty())
        else {
            plain.push(word.clone());
            continue;
        };
        let (name, attached) = option
            .split_once('=')
            .map_or((option, None), |(name, value)| {
                (name, Some(value.to_owned()))
            });
        if name != "keep-env" || old {
            return Err(format!(
                "Unknown option: {name}\n400 unable to parse option\n{EXEC_USAGE}"
            ));
        }
        let value = attached
            .or_else(|| words.next().cloned())
            .unwrap_or_else(|| "1".to_owned());
        order.keep_env = match value.as_str() {
            "1" | "yes" | "true" | "on" => true,
            "0" | "no" | "false" | "off" => false,
            other => {
                return Err(format!(
                    "400 Parameter verification failed.\nkeep-env: type check ('boolean') failed - got '{other}'\n{EXEC_USAGE}"
                ));
            }
        };
    }
    let mut plain = plain.into_iter();
    order.vmid = plain
        .next()
        .ok_or_else(|| format!("400 not enough arguments\n{EXEC_USAGE}"))?;
    order.argv = plain.collect();
    if order.argv.is_empty() {
        return Err("missing command".to_owned());
    }
    Ok(order)
}

pub(super) async fn exec(link: &Link, call: &Call) -> Done {
    let order = match order(&call.args()[1..], link.node.old_pct) {
        Ok(order) => order,
        Err(message) => return die(call, DIED, &message).await,
    };
    let vmid = check(link, call, &order.vmid, EXEC_USAGE).await?;
    let fault = link
        .node
        .cluster
        .faults()
        .take("pct_exec", Some(&link.node.name), Some(vmid));
    let cuts = match fault.as_ref().map(|fault| (fault, fault.action)) {
        Some((fault, Action::Hang)) => {
            link.node.cluster.faults().lets_go(fault).await;
            false
        }
        Some((_, Action::Cut)) => true,
        Some((_, Action::Offline)) => {
            link.node.cluster.take_offline(&link.node.name);
            link.cut.cancel();
            return Err(DIED);
        }
        Some((fault, _)) => {
            let usual = format!(
                "lxc-attach: {vmid}: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - Failed to get init pid"
            );
            return die(call, 1, &fault.text(&usual)).await;
        }
        None => false,
    };
    let mut env: Vec<(String, String)> = Vec::new();
    if order.keep_env {
        env.extend(
            call.env
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .filter(|(name, _)| name != "PATH"),
        );
        // pct forces this one before it does anything else.
        env.push((
            "PATH".to_owned(),
            "/sbin:/bin:/usr/sbin:/usr/bin".to_owned(),
        ));
    } else {
        env.push((
            "PATH".to_owned(),
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        ));
    }
    env.push(("container".to_owned(), "lxc".to_owned()));
    let attached = Attached::start(link, vmid, order.argv, env);
    if cuts {
        attached.cut(link, call).await
    } else {
        attached.carry(call).await
    }
}

/// A process in a guest, which outlives whoever started it.
struct Attached {
    stdin: mpsc::Sender<Bytes>,
    output: mpsc::Receiver<Output>,
    code: oneshot::Receiver<i32>,
}

impl Attached {
    fn start(link: &Link, vmid: u32, argv: Vec<String>, env: Vec<(String, String)>) -> Self {
        let cluster = &link.node.cluster;
        let (stdin, input) = mpsc::channel(8);
        let (to, mut pieces) = mpsc::channel(8);
        let (forward, output) = mpsc::channel(8);
        let (ended, code) = oneshot::channel();
        let process = Process {
            argv,
            env,
            stdin: input,
            output: to,
            killed: CancellationToken::new(),
        };
        let (guests, shutdown) = (cluster.guests(), cluster.shutdown_token().clone());
        let quiet = shutdown.clone();
        cluster.tracker().spawn(async move {
            tokio::select! {
                // Nobody may be left to be told.
                code = guests.exec(vmid, process) => drop(ended.send(code)),
                () = shutdown.cancelled() => {}
            }
        });
        // Reads on when nobody listens, so that the process does not die of a closed pipe.
        cluster.tracker().spawn(async move {
            loop {
                let piece = tokio::select! {
                    piece = pieces.recv() => piece,
                    () = quiet.cancelled() => return,
                };
                match piece {
                    Some(piece) => drop(forward.send(piece).await),
                    None => return,
                }
            }
        });
        Self {
            stdin,
            output,
            code,
        }
    }

    /// Passes streams in both directions until the process and all that hold its output are done.
    async fn carry(mut self, call: &Call) -> Done {
        let feed = feed(call.fd(0), self.stdin);
        let pass = pass(&mut self.output, call);
        tokio::pin!(feed);
        let passed = tokio::select! {
            passed = pass => passed,
            never = &mut feed => match never {},
        };
        passed?;
        Ok(self.code.await.unwrap_or(137))
    }

    /// A fault: the connection is torn off once the process runs, has said something, and has been told all
    /// that its caller wanted to tell it. The process goes on.
    async fn cut(mut self, link: &Link, call: &Call) -> Done {
        const PATIENCE: Duration = Duration::from_secs(1);
        let input = call.fd(0);
        let stdin = self.stdin.clone();
        let told = async move {
            while let Some(piece) = input.read().await {
                if stdin.send(piece).await.is_err() {
                    break;
                }
            }
        };
        let said = async {
            match self.output.recv().await {
                Some(piece) => write(call, piece).await,
                None => Ok(()),
            }
        };
        // Whoever keeps standard input open, or never says anything, is not waited for for long.
        let _ = tokio::time::timeout(PATIENCE, async { tokio::join!(told, said) }).await;
        drop(self.stdin);
        link.cut.cancel();
        Err(DIED)
    }
}

/// Copies standard input into the process and then stays, so that it can be waited for beside other things.
async fn feed(input: crate::unix::Fd, to: mpsc::Sender<Bytes>) -> std::convert::Infallible {
    while let Some(piece) = input.read().await {
        if to.send(piece).await.is_err() {
            break;
        }
    }
    drop(to);
    std::future::pending().await
}

async fn pass(from: &mut mpsc::Receiver<Output>, call: &Call) -> Result<(), i32> {
    while let Some(piece) = from.recv().await {
        write(call, piece).await?;
    }
    Ok(())
}

async fn write(call: &Call, piece: Output) -> Result<(), i32> {
    match piece {
        Output::Stdout(data) => call.out(data).await,
        Output::Stderr(data) => {
            call.err(data).await;
            Ok(())
        }
    }
}

/// `pct push VMID FILE DESTINATION [--perms M] [--user U] [--group G]`.
pub(super) async fn push(link: &Link, call: &Call) -> Done {
    let mut words = call.args()[1..].iter();
    let mut plain = Vec::new();
    let (mut mode, mut user, mut group) = ("0644".to_owned(), "0".to_owned(), "0".to_owned());
    while let Some(word) = words.next() {
        let place = match word.trim_start_matches('-') {
            "perms" => &mut mode,
            "user" => &mut user,
            "group" => &mut group,
            name if word.starts_with('-') => {
                return die(
                    call,
                    DIED,
                    &format!("Unknown option: {name}\n400 unable to parse option\n{PUSH_USAGE}"),
                )
                .await;
            }
            _ => {
                plain.push(word.clone());
                continue;
            }
        };
        if let Some(value) = words.next() {
            place.clone_from(value);
        }
    }
    let [vmid, source, target] = plain.as_slice() else {
        return die(
            call,
            DIED,
            &format!("400 not enough arguments\n{PUSH_USAGE}"),
        )
        .await;
    };
    let number = check(link, call, vmid, PUSH_USAGE).await?;
    let bytes = match call.read(source).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            return die(
                call,
                MISSING,
                &format!("failed to open {source} for reading: {errno}"),
            )
            .await;
        }
    };
    let script = "cat > \"$1\" && chmod \"$2\" \"$1\" && chown \"$3\" \"$1\"";
    let owner = format!("{user}:{group}");
    let argv = ["/bin/sh", "-c", script, "sh", target, &mode, &owner]
        .map(str::to_owned)
        .to_vec();
    let env = vec![(
        "PATH".to_owned(),
        "/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
    )];
    let mut fed = call.clone();
    fed.fds.set(0, crate::unix::Fd::of(bytes));
    let code = Attached::start(link, number, argv, env).carry(&fed).await?;
    if code != 0 {
        return die(
            call,
            DIED,
            &format!("failed to open {target} for writing: No such file or directory"),
        )
        .await;
    }
    Ok(0)
}
