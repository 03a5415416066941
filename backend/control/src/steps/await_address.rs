//! Waiting for the container's address.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use proxmox::{Error, Interface, Power};
use saga::{Failure, Saga, Step, StepContext, StepError};
use tokio::time::{Instant, sleep};

use crate::{containers::find_again, context::Context, explain, operations::State};

/// The first pause; each is half as long again, up to [`SLOWEST`]. An address is usually there at once or after the
/// three seconds of a repeated DHCP discover.
const FIRST: Duration = Duration::from_millis(50);
const SLOWEST: Duration = Duration::from_millis(500);
/// Name of `net0` inside the container, set when it was created. Docker's own bridges are listed, too.
const INTERFACE: &str = "eth0";

/// Waits until the container's own interface has an address, from DHCP or as it was given.
///
/// *Writes down* the address. *Recognises* nothing of its own: the address is asked for anew each time, for
/// DHCP may give another. *Undo* has nothing to take back.
pub(crate) struct AwaitAddress;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for AwaitAddress {
    fn name(&self) -> &'static str {
        "await_address"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.timeouts.address + Duration::from_secs(30)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let doing = "waiting for the address";
        let (cluster, vmid, mut node) = (&cx.context.cluster, cx.state.vmid()?, cx.state.node()?);
        let deadline = Instant::now() + cx.context.settings.timeouts.address;
        let mut pause = FIRST;
        loop {
            match cluster.interfaces(&node, vmid).await {
                Ok(interfaces) => {
                    if let Some(address) = address_of(&interfaces) {
                        cx.log(format!("the container has the address {address}"));
                        cx.state.address = Some(address);
                        return Ok(());
                    }
                }
                Err(error @ (Error::Unreachable { .. } | Error::Unknown { .. })) => {
                    cx.log(error.to_string());
                }
                Err(Error::NotFound { .. }) => {
                    // Moved between two calls, or gone.
                    node = find_again(cx, doing).await?;
                }
                Err(error) => return Err(explain::proxmox(doing, &error).into()),
            }
            if Instant::now() >= deadline {
                return Err(no_address(cx).await.into());
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(SLOWEST);
        }
    }
}

/// IPv4 first, for that is what people type; then IPv6, but none that only this link knows.
fn address_of(interfaces: &[Interface]) -> Option<IpAddr> {
    let own = interfaces
        .iter()
        .find(|interface| interface.name == INTERFACE)?;
    let usable = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_link_local() && !address.is_unspecified(),
        IpAddr::V6(address) => !address.is_unicast_link_local() && !address.is_unspecified(),
    };
    let mut addresses: Vec<IpAddr> = own
        .addresses
        .iter()
        .map(|entry| entry.address)
        .filter(usable)
        .collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.first().copied()
}

async fn no_address<S: Saga<State = State, Context = Context>>(cx: &StepContext<'_, S>) -> Failure {
    let (Ok(vmid), Ok(node)) = (cx.state.vmid(), cx.state.node()) else {
        return never(cx);
    };
    match cx.context.cluster.container_status(&node, vmid).await {
        Ok(status) if status.status != Power::Running => Failure::new(
            "container_stopped",
            "The container stopped before it had an address.",
        )
        .hint("Its console log on the node tells why; too little memory is the usual cause."),
        _ => never(cx),
    }
}

fn never<S: Saga<State = State, Context = Context>>(cx: &StepContext<'_, S>) -> Failure {
    let bridge = cx
        .state
        .network
        .bridge
        .as_deref()
        .unwrap_or(&cx.context.settings.bridge);
    let seconds = cx.context.settings.timeouts.address.as_secs();
    Failure::new("no_address", format!("The container got no address on {bridge} within {seconds} seconds."))
        .hint("Check that a DHCP server answers on this bridge and VLAN, or deploy with a static address (network.address).")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, addresses: &[&str]) -> Interface {
        Interface {
            name: name.to_owned(),
            hwaddr: String::new(),
            addresses: addresses
                .iter()
                .map(|address| proxmox::Address {
                    address: address.parse().unwrap(),
                    prefix: 24,
                })
                .collect(),
        }
    }

    #[test]
    fn the_containers_own_interface_counts_and_no_other() {
        let bridges = [
            interface("lo", &["127.0.0.1"]),
            interface("docker0", &["172.17.0.1"]),
        ];
        assert_eq!(address_of(&bridges), None);
        let all = [
            interface("docker0", &["172.17.0.1"]),
            interface("eth0", &["fe80::1", "fd00::7", "10.0.0.7"]),
        ];
        assert_eq!(address_of(&all), Some("10.0.0.7".parse().unwrap()));
        let six = [interface("eth0", &["fe80::1", "fd00::7"])];
        assert_eq!(address_of(&six), Some("fd00::7".parse().unwrap()));
        assert_eq!(address_of(&[interface("eth0", &["169.254.1.1"])]), None);
    }
}
