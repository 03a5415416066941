//! `proximity sim`: a simulated cluster as a process of its own, so that the service can be killed while the
//! cluster lives on.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use sim::{Cluster, Options};
use tokio_util::task::TaskTracker;

use crate::{logging, say, stop};

/// How long simulated things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pace {
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
pub struct Arguments {
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
    /// Real containers instead of modelled ones: the file that describes a lab which is up
    #[arg(long, value_name = "FILE")]
    lab: Option<std::path::PathBuf>,
}

/// Runs until a signal.
pub async fn command(arguments: Arguments) -> anyhow::Result<()> {
    logging::begin(&crate::source()?)?;
    let tracker = TaskTracker::new();
    let shutdown = stop::on_signal(&tracker)?;
    let running = Cluster::start(options(&arguments)?).await?;
    say(&running.ready_line());
    shutdown.cancelled().await;
    running.shutdown().await;
    Ok(())
}

fn options(arguments: &Arguments) -> anyhow::Result<Options> {
    let options = Options {
        listen: arguments.listen,
        ssh_listen: arguments.ssh_listen,
        pace: arguments.pace.into(),
        ..Options::default()
    }
    .nodes(arguments.nodes.into());
    match &arguments.lab {
        None => Ok(options),
        Some(_) => anyhow::bail!("a lab cannot be used yet"),
    }
}
