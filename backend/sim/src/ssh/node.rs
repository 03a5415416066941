//! A cluster node as root's login shell sees it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::exec;
use crate::cluster::Cluster;
use crate::faults::Action;
use crate::options::Options;
use crate::pct;
use crate::unix::{Base, Call, Done, Files, Flavour, Machine, binary, install_tools};

/// Room for what people put on a node.
const DISK: u64 = 1 << 30;

const AUTHORIZED: &str = "/root/.ssh/authorized_keys";

/// The machine of a node, shared by all who are logged in there.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) cluster: Cluster,
    pub(super) name: String,
    /// Whether its `pct` is from before `exec --keep-env` (pve-container 5.0.9).
    pub(super) old_pct: bool,
    base: Base,
}

impl Node {
    pub(super) fn new(cluster: Cluster, name: &str, options: &Options) -> Arc<Self> {
        let mut files = Files::new(DISK);
        // An empty file system of this size takes all of it.
        let _ = install_tools(&mut files);
        for program in ["dpkg-query", "pct", "pveversion"] {
            let _ = files.put(&format!("/usr/sbin/{program}"), binary(program), 0o755);
        }
        let _ = files.mkdir_all("/root/.ssh", 0o700);
        let _ = files.put(AUTHORIZED, options.authorized_keys.join("\n"), 0o600);
        let _ = files.put("/etc/hostname", format!("{name}\n"), 0o644);
        Arc::new(Self {
            cluster,
            old_pct: options.old_pct,
            base: Base::new(Flavour::Debian, name, files),
            name: name.to_owned(),
        })
    }

    /// Public keys that may log in as root, a line each.
    pub(super) fn authorized_keys(&self) -> String {
        self.base.files().text(AUTHORIZED).unwrap_or_default()
    }

    pub(super) fn power_off(&self) {
        self.base.power_off();
    }
}

/// The node as seen through one connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) node: Arc<Node>,
    /// Tears the connection off.
    pub(super) cut: CancellationToken,
}

impl Link {
    pub(super) fn new(node: Arc<Node>, cut: CancellationToken) -> Self {
        Self { node, cut }
    }

    /// `pct`: what touches a guest's inside here, the rest against the model.
    async fn pct(&self, call: &Call) -> Done {
        match call.args().first().map(String::as_str) {
            Some("exec") => exec::exec(self, call).await,
            Some("push") => exec::push(self, call).await,
            _ => {
                self.fault(call).await?;
                let output = pct::run(&self.node.cluster, &self.node.name, call.args()).await;
                call.err(output.stderr).await;
                call.out(output.stdout).await?;
                Ok(output.code)
            }
        }
    }
}

impl Link {
    /// Plays the fault that waits for a `pct` of the node's own.
    async fn fault(&self, call: &Call) -> Result<(), i32> {
        let cluster = &self.node.cluster;
        let vmid = call.args().get(1).and_then(|word| word.parse().ok());
        let Some(fault) = cluster.faults().take("pct", Some(&self.node.name), vmid) else {
            return Ok(());
        };
        match fault.action {
            Action::Hang => {
                cluster.faults().lets_go(&fault).await;
                Ok(())
            }
            Action::Cut => {
                // It is done, and nobody is told.
                let _ = pct::run(cluster, &self.node.name, call.args()).await;
                self.cut.cancel();
                Err(255)
            }
            Action::Offline => {
                cluster.take_offline(&self.node.name);
                self.cut.cancel();
                Err(255)
            }
            _ => {
                let usual = "ipcc_send_rec[1] failed: Connection refused\nUnable to load access control list: Connection refused\n";
                call.err(fault.text(usual)).await;
                Err(255)
            }
        }
    }

    /// `dpkg-query -W -f=${Version} PACKAGE`, which is all that anybody asks of it here.
    async fn dpkg_query(&self, call: &Call) -> Done {
        let [show, format, package] = call.args() else {
            call.err("dpkg-query: error: need an action option\n").await;
            return Ok(2);
        };
        let version = match package.as_str() {
            "lxc-pve" => self.node.cluster.lxc_pve(&self.node.name),
            "pve-container" => Some("6.1.10".to_owned()),
            _ => None,
        };
        match version {
            Some(version) if show == "-W" && format == "-f=${Version}" => {
                call.out(version).await.map(|()| 0)
            }
            _ => {
                call.err(format!(
                    "dpkg-query: no packages found matching {package}\n"
                ))
                .await;
                Ok(1)
            }
        }
    }
}

#[async_trait]
impl Machine for Link {
    fn base(&self) -> &Base {
        &self.node.base
    }

    async fn run(&self, program: &str, call: &mut Call) -> Option<Done> {
        match program {
            "pct" => Some(self.pct(call).await),
            "dpkg-query" => Some(self.dpkg_query(call).await),
            "pveversion" => {
                let text = "pve-manager/9.1.2/9d436f37a0ac4172 (running kernel: 6.14.11-4-pve)\n";
                Some(call.out(text).await.map(|()| 0))
            }
            _ => None,
        }
    }

    fn processors(&self) -> u32 {
        8
    }
}
