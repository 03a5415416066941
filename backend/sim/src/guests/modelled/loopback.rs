//! A network of this machine's own, 127.N.0.0/16, that one simulated cluster has to itself.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

/// The networks that a cluster may take: the second byte of 127.64.0.0/10.
const NETWORKS: std::ops::RangeInclusive<u8> = 64..=127;
/// Port of a network's gateway: whoever listens there has the network. Above the ports that Linux hands out.
const GATE: u16 = 61_006;

/// A network, taken for as long as this lives.
#[derive(Debug)]
pub(crate) struct Loopback {
    second: u8,
    _gate: TcpListener,
}

impl Loopback {
    /// Takes the first network that no other cluster on this machine has.
    pub(crate) async fn take() -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for second in NETWORKS {
            match TcpListener::bind((Ipv4Addr::new(127, second, 0, 1), GATE)).await {
                Ok(gate) => {
                    return Ok(Self {
                        second,
                        _gate: gate,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The first two bytes of its addresses.
    pub(super) const fn prefix(&self) -> [u8; 2] {
        [127, self.second]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_clusters_never_share_a_network() {
        let (one, other) = (
            Loopback::take().await.unwrap(),
            Loopback::take().await.unwrap(),
        );
        assert_ne!(one.prefix(), other.prefix());
        assert_eq!(one.prefix()[0], 127);
    }
}
