//! Scenarios on one guest: what Alpine, Docker and compose do when they are asked, and when things go wrong.

mod doors;
mod projects;
mod system;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Modelled;
use crate::faults::{Action, Faults, Rule};
use crate::guests::{GuestSpec, Guests, Output, Process};
use crate::pace::Pace;

const VMID: u32 = 101;

struct World {
    faults: Arc<Faults>,
    guests: Arc<Modelled>,
}

#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn spec(template: &str) -> GuestSpec {
    GuestSpec {
        vmid: VMID,
        node: "pve1".to_owned(),
        hostname: "notes".to_owned(),
        template: template.to_owned(),
        disk: 4 << 30,
        memory: 1 << 30,
        swap: 0,
        cores: Some(2),
        hwaddr: "BC:24:11:00:00:01".to_owned(),
        bridge: "vmbr0".to_owned(),
        address: None,
        gateway: None,
        nesting: true,
        keyctl: true,
    }
}

impl World {
    async fn new() -> Self {
        Self::with(spec("alpine-3.23-default_20260116_amd64.tar.xz"), &[]).await
    }

    async fn with(spec: GuestSpec, rules: &[Rule]) -> Self {
        let faults = Arc::new(Faults::new());
        faults.set(rules.to_vec()).unwrap();
        let guests = Modelled::new(Arc::clone(&faults), Pace::Instant);
        Self::started(faults, Arc::new(guests), &spec).await
    }

    async fn started(faults: Arc<Faults>, guests: Arc<Modelled>, spec: &GuestSpec) -> Self {
        guests.create(spec, &|_| {}).await.unwrap();
        guests.start(VMID).await.unwrap();
        Self { faults, guests }
    }

    /// A guest with Docker installed and ready.
    async fn docker() -> Self {
        let world = Self::new().await;
        world.install().await;
        world
    }

    async fn install(&self) {
        let ran = self.sh("apk update && apk add --no-cache docker docker-cli-compose && rc-update add docker default && rc-service docker start && docker info >/dev/null").await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    async fn exec(&self, argv: &[&str], input: &str) -> Ran {
        let (to, mut from) = mpsc::channel(8);
        let (stdin, receiver) = mpsc::channel(1);
        let process = Process {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            env: vec![
                (
                    "PATH".to_owned(),
                    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
                ),
                ("HOME".to_owned(), "/root".to_owned()),
            ],
            stdin: receiver,
            output: to,
            killed: CancellationToken::new(),
        };
        let feed = async move {
            // The process may end without reading.
            let _ = stdin.send(Bytes::copy_from_slice(input.as_bytes())).await;
            drop(stdin);
        };
        let collect = async {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            while let Some(piece) = from.recv().await {
                match piece {
                    Output::Stdout(bytes) => stdout.extend(bytes),
                    Output::Stderr(bytes) => stderr.extend(bytes),
                }
            }
            (stdout, stderr)
        };
        let run = tokio::time::timeout(Duration::from_secs(20), self.guests.exec(VMID, process));
        let (code, (), (stdout, stderr)) = tokio::join!(run, feed, collect);
        Ran {
            code: code.expect("the process ends"),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    async fn sh(&self, script: &str) -> Ran {
        self.exec(&["sh", "-c", script], "").await
    }

    async fn put(&self, path: &str, text: &str) {
        let script = "mkdir -p \"${1%/*}\" && cat > \"$1\"";
        let ran = self.exec(&["sh", "-c", script, "sh", path], text).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    /// Runs a script and insists that it ends well.
    async fn good(&self, script: &str) -> String {
        let ran = self.sh(script).await;
        assert_eq!(ran.code, 0, "{script}: {ran:?}");
        ran.stdout
    }

    /// Waits until a process runs whose command line holds this.
    async fn runs(&self, command: &str) {
        let (first, rest) = command.split_at(1);
        // The bracket keeps this search from finding itself.
        let script = format!("until ps | grep -q '[{first}]{rest}'; do sleep 1; done");
        self.good(&script).await;
    }

    /// Runs a script and insists on how it fails.
    async fn bad(&self, script: &str, code: i32, text: &str) {
        let ran = self.sh(script).await;
        assert_eq!(ran.code, code, "{script}: {ran:?}");
        assert!(ran.stderr.contains(text), "{script} wrote {:?}", ran.stderr);
    }

    fn fault(&self, on: &str, action: Action) {
        self.faults.set(vec![Rule::new(on, action)]).unwrap();
    }

    fn fault_once(&self, on: &str, action: Action) {
        self.faults
            .set(vec![Rule::new(on, action).times(1)])
            .unwrap();
    }
}
