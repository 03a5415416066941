//! `proximity sim`: a simulated cluster as a process of its own, so that the service can be killed while the
//! cluster lives on.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use sim::{Cluster, GuestsKind, Options, SshServers, guests::lxc::Lxc};
use tokio_util::task::TaskTracker;

use crate::{logging, say, stop};

/// How long simulated things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pace {
    /// No time.
    Instant,
    /// About as long as on a small node.
    Realistic,
}

impl From<Pace> for sim::Pace {
    fn from(pace: Pace) -> Self {
        match pace {
            Pace::Instant => Self::Instant,
            Pace::Realistic => Self::Realistic,
        }
    }
}

/// What a simulated cluster is started with.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    nodes: u8,
    /// Where the Proxmox API listens; keep it on loopback, /sim/… asks for no login
    #[arg(long, default_value = "127.0.0.1:18006")]
    listen: SocketAddr,
    /// Where the first node's SSH server listens; the next node takes the next address, same port; port 0: a
    /// free one each
    #[arg(long, default_value = "127.0.0.10:0")]
    ssh_listen: SocketAddr,
    /// How long things take
    #[arg(long, value_enum, default_value_t = Pace::Realistic)]
    pace: Pace,
    /// Life in the cluster: other people's guests, a node nearly full, one in maintenance, figures that move, and
    /// apps that answer in a browser on this machine
    #[arg(long, conflicts_with = "lab")]
    life: bool,
    /// Real containers instead of modelled ones: the file that describes a lab which is up
    #[arg(long, value_name = "FILE")]
    lab: Option<PathBuf>,
}

/// Runs until a signal.
pub(crate) async fn command(arguments: Arguments) -> anyhow::Result<()> {
    logging::begin(&crate::source()?)?;
    let tracker = TaskTracker::new();
    let shutdown = stop::on_signal(&tracker)?;
    let lab = arguments
        .lab
        .as_deref()
        .map(Lxc::from_env_file)
        .transpose()
        .context("the lab cannot be used")?;
    let lab = lab.map(Arc::new);
    let running = Cluster::start(options(&arguments, lab.clone())).await?;
    if let Some(lab) = &lab {
        lab.announce(running.api)
            .await
            .context("the lab's nodes cannot be told where the API is")?;
    }
    say(&running.ready_line());
    shutdown.cancelled().await;
    running.shutdown().await;
    Ok(())
}

fn options(arguments: &Arguments, lab: Option<Arc<Lxc>>) -> Options {
    let options = Options {
        listen: arguments.listen,
        ssh_listen: arguments.ssh_listen,
        pace: arguments.pace.into(),
        ..Options::default()
    };
    let nodes = arguments.nodes.into();
    let mut options = if arguments.life {
        options.alive(nodes)
    } else {
        options.nodes(nodes)
    };
    if let Some(lab) = lab {
        options.guests = GuestsKind::Custom(lab);
        options.ssh = SshServers::Elsewhere;
    }
    options
}
