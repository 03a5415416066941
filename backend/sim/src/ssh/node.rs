//! A node as somebody meets it who logs in: a shell, the common tools, and `pct`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::faults::Action;
use crate::guests::{Output, Process};
use crate::model::missing_config;
use crate::pct;
use crate::unix::{
    Base, Call, Clock, Done, Fd, Fds, Files, Flavour, Input, Machine, execute, install_busybox,
};

/// Programs of a node besides the common ones.
const LINKS: &[(&str, &[&str])] = &[
    ("/bin", &["bash"]),
    ("/usr/bin", &["pveversion"]),
    ("/usr/sbin", &["pct"]),
];
/// Room for what a command may write down on its node.
const DISK: u64 = 64 << 20;
/// What `pct` forces on every command it runs, and what lxc-attach adds.
const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin";

/// A node during one command. Its files begin anew with each: nothing that is asked of nodes builds on them.
struct Node {
    base: Base,
    cluster: Cluster,
    name: String,
    cut: CancellationToken,
}

/// Runs a command line as root's login shell does, and answers its exit code.
pub(super) async fn login_shell(
    cluster: &Cluster,
    node: &str,
    cut: CancellationToken,
    line: String,
    stdin: mpsc::Receiver<Bytes>,
    output: mpsc::Sender<Output>,
) -> i32 {
    let mut files = Files::new(DISK);
    if install_busybox(&mut files, LINKS)
        .and_then(|()| files.mkdir_all("/root", 0o700))
        .is_err()
    {
        return 255;
    }
    let machine = Arc::new(Node {
        base: Base::new(Flavour::Debian, node, files),
        cluster: cluster.clone(),
        name: node.to_owned(),
        cut,
    });
    let client = |error| Fd::Client {
        to: output.clone(),
        error,
    };
    let env = [
        ("HOME", "/root"),
        ("LANG", "C.UTF-8"),
        ("PATH", PATH),
        ("SHELL", "/bin/bash"),
        ("USER", "root"),
    ];
    let call = Call {
        machine,
        clock: Arc::new(Clock::new(cluster.pace())),
        argv: vec!["bash".to_owned(), "-c".to_owned(), line],
        env: env
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        cwd: "/root".to_owned(),
        fds: Fds::standard(
            Fd::Input(Arc::new(Input::new(stdin))),
            client(false),
            client(true),
        ),
        umask: 0o022,
        pid: 0,
    };
    drop(output);
    execute(call).await.unwrap_or(127)
}

#[async_trait]
impl Machine for Node {
    fn base(&self) -> &Base {
        &self.base
    }

    async fn run(&self, _program: &str, call: &mut Call) -> Option<Done> {
        Some(match call.name() {
            "pct" => self.pct(call).await,
            "pveversion" => call
                .out("pve-manager/9.1.2/0123456789abcdef (running kernel: 6.17.2-1-pve)\n")
                .await
                .map(|()| 0),
            _ => return None,
        })
    }
}

impl Node {
    async fn pct(&self, call: &mut Call) -> Done {
        if call.args().first().is_some_and(|word| word == "exec") {
            return self.pct_exec(call).await;
        }
        let output = pct::run(&self.cluster, &self.name, call.args()).await;
        call.out(output.stdout).await?;
        call.err(output.stderr).await;
        Ok(output.code)
    }

    /// `pct exec ID [--keep-env 0|1] -- argv…`: argv goes to the guest without a shell.
    async fn pct_exec(&self, call: &Call) -> Done {
        let (vmid, keep, argv) = match parse(&call.args()[1..]) {
            Ok(parsed) => parsed,
            Err(problem) => return self.die(call, 255, problem).await,
        };
        if self.cluster.owner(vmid).as_deref() != Some(self.name.as_str()) {
            return self.die(call, 2, &missing_config(&self.name, vmid)).await;
        }
        let guests = self.cluster.guests();
        if !guests.is_running(vmid).await {
            return self
                .die(call, 255, &format!("container '{vmid}' not running!"))
                .await;
        }
        let fault = self
            .cluster
            .faults()
            .take("pct_exec", Some(&self.name), Some(vmid));
        let action = fault.as_ref().map(|fault| fault.action);
        match action {
            Some(Action::Refuse) => {
                let usual = "lxc-attach: failed to get the init pid";
                return self
                    .die(
                        call,
                        1,
                        &fault.map_or_else(String::new, |fault| fault.text(usual)),
                    )
                    .await;
            }
            Some(Action::Hang) => self.cluster.faults().changed().await,
            _ => {}
        }
        let ended = self.attach(
            call,
            vmid,
            argv,
            if keep {
                call.env.clone()
            } else {
                BTreeMap::new()
            },
        );
        if action == Some(Action::Cut) {
            // The process has started and goes on; nobody hears of it any more.
            drop(ended);
            self.cut.cancel();
            return std::future::pending().await;
        }
        Ok(ended.await)
    }

    /// Starts a process in the guest that outlives this command; the future is its end, as it is heard here.
    fn attach(
        &self,
        call: &Call,
        vmid: u32,
        argv: Vec<String>,
        mut env: BTreeMap<String, String>,
    ) -> impl Future<Output = i32> + use<> {
        env.insert("PATH".to_owned(), PATH.to_owned());
        env.insert("container".to_owned(), "lxc".to_owned());
        let (typed, stdin) = mpsc::channel(16);
        let (output, mut told) = mpsc::channel(16);
        let process = Process {
            argv,
            env: env.into_iter().collect(),
            stdin,
            output,
            killed: CancellationToken::new(),
        };
        let (guests, stop) = (self.cluster.guests(), self.cluster.shutdown_token().clone());
        let running = self.cluster.tracker().spawn(async move {
            tokio::select! {
                code = guests.exec(vmid, process) => code,
                () = stop.cancelled() => 137,
            }
        });
        let (input, caller) = (call.fd(0), call.clone());
        // Apart from the caller, too: output that nobody reads any more must not stop the guest's process.
        let telling = self.cluster.tracker().spawn(async move {
            while let Some(piece) = told.recv().await {
                match piece {
                    Output::Stdout(data) => drop(caller.out(data).await),
                    Output::Stderr(data) => caller.err(data).await,
                }
            }
        });
        let feeding = async move {
            while let Some(piece) = input.read().await {
                if typed.send(piece).await.is_err() {
                    break;
                }
            }
        };
        async move {
            let ended = async {
                let code = running.await.unwrap_or(255);
                // All it said is heard before its end is.
                let _ = telling.await;
                code
            };
            tokio::pin!(ended);
            tokio::select! {
                code = &mut ended => code,
                () = feeding => ended.await,
            }
        }
    }

    /// The end of a `pct` that never got as far as the guest.
    async fn die(&self, call: &Call, code: i32, text: &str) -> Done {
        call.err(format!("{}\n", text.trim_end())).await;
        Ok(code)
    }
}

/// Number, whether the environment is kept, and argv.
fn parse(arguments: &[String]) -> Result<(u32, bool, Vec<String>), &'static str> {
    const USAGE: &str = "400 not enough arguments\npct exec <vmid> [<extra-args>] [OPTIONS]";
    let end = arguments
        .iter()
        .position(|word| word == "--")
        .ok_or(USAGE)?;
    let (own, argv) = (&arguments[..end], arguments[end + 1..].to_vec());
    let vmid = own
        .first()
        .and_then(|word| word.parse().ok())
        .ok_or(USAGE)?;
    let keep = match own.get(1..).unwrap_or_default() {
        [] => true,
        [option, value] if option == "--keep-env" && (value == "0" || value == "1") => value == "1",
        _ => return Err("Unknown option\n400 unable to parse option"),
    };
    if argv.is_empty() {
        Err(USAGE)
    } else {
        Ok((vmid, keep, argv))
    }
}
