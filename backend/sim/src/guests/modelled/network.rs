//! A guest's network: its lease and its interfaces.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::time::Instant;

use super::guest::Guest;
use crate::faults::Action;
use crate::guests::{GuestInterface, GuestSpec};
use crate::unix::{Call, Done};

/// First two bytes of the addresses of a network that is nowhere.
pub(super) const PRIVATE: [u8; 2] = [10, 32];

/// An address, from when on it is there.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) address: IpAddr,
    pub(super) prefix: u8,
    pub(super) gateway: Option<IpAddr>,
    since: Instant,
}

/// What the guest's network gives it after a start; `None` when it gets no address.
pub(super) fn ask(guest: &Guest, spec: &GuestSpec) -> Option<Lease> {
    if let Some(fixed) = &spec.address {
        let (address, prefix) = fixed.split_once('/')?;
        return Some(Lease {
            address: address.parse().ok()?,
            prefix: prefix.parse().ok()?,
            gateway: spec
                .gateway
                .as_deref()
                .and_then(|gateway| gateway.parse().ok()),
            since: Instant::now(),
        });
    }
    if guest.fault_of("dhcp", &[Action::None]).is_some() {
        return None;
    }
    // The first discover is often lost; the second follows three seconds later.
    let wait = if rand::random::<bool>() { 300 } else { 3_300 };
    Some(Lease {
        address: IpAddr::V4(dynamic(guest.network(), spec.vmid)),
        prefix: 16,
        gateway: Some(IpAddr::V4(gateway(guest.network()))),
        since: guest.after(Duration::from_millis(wait)),
    })
}

/// The address that the simulated DHCP server keeps for a guest.
fn dynamic([first, second]: [u8; 2], vmid: u32) -> Ipv4Addr {
    let last = u8::try_from(vmid % 250 + 2).unwrap_or(2);
    let third = u8::try_from(vmid / 250 % 250 + 1).unwrap_or(1);
    Ipv4Addr::new(first, second, third, last)
}

const fn gateway([first, second]: [u8; 2]) -> Ipv4Addr {
    Ipv4Addr::new(first, second, 0, 1)
}

/// The address, once it is there.
pub(super) fn address(guest: &Guest) -> Option<Lease> {
    let lease = guest.session().lease.clone()?;
    (lease.since <= Instant::now()).then_some(lease)
}

/// Link-local address made of a MAC address (RFC 4291, appendix A).
fn link_local(hwaddr: &str) -> Option<IpAddr> {
    let bytes: Vec<u16> = hwaddr
        .split(':')
        .map(|part| u16::from_str_radix(part, 16))
        .collect::<Result<_, _>>()
        .ok()?;
    if bytes.len() != 6 {
        return None;
    }
    let pair = |at: usize| (bytes[at] << 8) | bytes[at + 1];
    Some(IpAddr::V6(Ipv6Addr::new(
        0xfe80,
        0,
        0,
        0,
        pair(0) ^ 0x0200,
        (bytes[2] << 8) | 0xff,
        0xfe00 | bytes[3],
        pair(4),
    )))
}

pub(super) fn interfaces(guest: &Guest) -> Vec<GuestInterface> {
    let hwaddr = guest.spec().hwaddr.to_lowercase();
    let mut eth0: Vec<(IpAddr, u8)> = Vec::new();
    eth0.extend(address(guest).map(|lease| (lease.address, lease.prefix)));
    eth0.extend(link_local(&hwaddr).map(|address| (address, 64)));
    let mut all = vec![
        GuestInterface {
            name: "lo".to_owned(),
            hwaddr: "00:00:00:00:00:00".to_owned(),
            addresses: vec![
                (IpAddr::V4(Ipv4Addr::LOCALHOST), 8),
                (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
            ],
        },
        GuestInterface {
            name: "eth0".to_owned(),
            hwaddr,
            addresses: eth0,
        },
    ];
    if guest.docker().is_ready() {
        all.push(GuestInterface {
            name: "docker0".to_owned(),
            hwaddr: "02:42:6b:1c:9e:04".to_owned(),
            addresses: vec![(IpAddr::V4(Ipv4Addr::new(172, 17, 0, 1)), 16)],
        });
    }
    all
}

/// `ip address` and `ip route`; busybox knows no `-j`.
pub(super) async fn ip(guest: &Guest, call: &mut Call) -> Done {
    let words: Vec<String> = call.args().to_vec();
    let mut family = "";
    let mut rest = Vec::new();
    for word in &words {
        match word.as_str() {
            "-4" | "-6" => family = word,
            "-o" => {}
            option if option.starts_with('-') => return call.usage(option).await,
            word => rest.push(word.to_owned()),
        }
    }
    let object = rest.first().map_or("", String::as_str);
    let only = rest
        .iter()
        .skip_while(|word| *word != "dev")
        .nth(1)
        .or(rest.get(2))
        .map(String::as_str);
    if object.starts_with('a') && "address".starts_with(object) {
        let mut text = String::new();
        for (number, interface) in interfaces(guest).into_iter().enumerate() {
            if only.is_some_and(|only| only != interface.name && only != "show") {
                continue;
            }
            let kind = if interface.name == "lo" {
                "loopback"
            } else {
                "ether"
            };
            text.push_str(&format!(
                "{}: {}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP qlen 1000\n    link/{kind} {} brd ff:ff:ff:ff:ff:ff\n",
                number + 1,
                interface.name,
                interface.hwaddr
            ));
            for (address, prefix) in interface.addresses {
                let (word, wanted) = if address.is_ipv4() {
                    ("inet", "-4")
                } else {
                    ("inet6", "-6")
                };
                if family.is_empty() || family == wanted {
                    text.push_str(&format!("    {word} {address}/{prefix} scope global {}\n       valid_lft forever preferred_lft forever\n", interface.name));
                }
            }
        }
        call.out(text).await?;
        return Ok(0);
    }
    if object.starts_with('r') && "route".starts_with(object) {
        if let Some(lease) = address(guest) {
            let default = lease
                .gateway
                .map(|gateway| format!("default via {gateway} dev eth0 \n"))
                .unwrap_or_default();
            call.out(format!(
                "{default}{}/{} dev eth0 scope link  src {} \n",
                lease.address, lease.prefix, lease.address
            ))
            .await?;
        }
        return Ok(0);
    }
    call.fail(&format!("unknown argument '{object}'")).await
}
