//! A container's network interface, written as Proxmox's `net[n]` property.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::{InvalidName, forms, validate};

/// How an interface gets its IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ipv4 {
    /// Nothing is said: none.
    #[default]
    Unset,
    /// From the network.
    Dhcp,
    /// The container sees to it itself.
    Manual,
    /// A fixed one.
    Static {
        /// The address.
        address: Ipv4Addr,
        /// Length of its network's prefix, 0 to 32.
        prefix: u8,
        /// Where the rest of the world is.
        gateway: Option<Ipv4Addr>,
    },
}

/// How an interface gets its IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ipv6 {
    /// Nothing is said: none.
    #[default]
    Unset,
    /// From router advertisements.
    Auto,
    /// From the network.
    Dhcp,
    /// The container sees to it itself.
    Manual,
    /// A fixed one.
    Static {
        /// The address.
        address: Ipv6Addr,
        /// Length of its network's prefix, 0 to 128.
        prefix: u8,
        /// Where the rest of the world is.
        gateway: Option<Ipv6Addr>,
    },
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Net {
    /// Its name inside: `eth0`.
    pub name: String,
    /// The bridge of the node that it is plugged to.
    pub bridge: Option<String>,
    /// Its MAC address; Proxmox makes one up where none is given.
    pub hwaddr: Option<String>,
    /// IPv4.
    pub ipv4: Ipv4,
    /// IPv6.
    pub ipv6: Ipv6,
    /// VLAN tag, 1 to 4094.
    pub tag: Option<u16>,
    /// Whether Proxmox's firewall watches it.
    pub firewall: bool,
    /// Largest packet, 64 to 65535.
    pub mtu: Option<u16>,
    /// Whatever else a configuration says about it, kept as it is.
    pub other: BTreeMap<String, String>,
}

impl Net {
    /// An interface on a bridge, with its address from DHCP.
    pub fn dhcp(name: &str, bridge: &str) -> Self {
        Self {
            name: name.to_owned(),
            bridge: Some(bridge.to_owned()),
            ipv4: Ipv4::Dhcp,
            ..Self::default()
        }
    }

    /// An interface on a bridge with a fixed address.
    pub fn fixed(
        name: &str,
        bridge: &str,
        address: Ipv4Addr,
        prefix: u8,
        gateway: Option<Ipv4Addr>,
    ) -> Self {
        Self {
            ipv4: Ipv4::Static {
                address,
                prefix,
                gateway,
            },
            ..Self::dhcp(name, bridge)
        }
    }

    /// In a VLAN.
    #[must_use]
    pub fn in_vlan(mut self, tag: u16) -> Self {
        self.tag = Some(tag);
        self
    }

    /// What is wrong with it, in a sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        let wrong = |what: &str, is: bool| if is { Err(what.to_owned()) } else { Ok(()) };
        wrong(
            "the name is not one of an interface",
            !validate::is_interface(&self.name),
        )?;
        wrong(
            "the bridge is not a name",
            self.bridge
                .as_deref()
                .is_some_and(|bridge| !validate::is_interface(bridge)),
        )?;
        wrong(
            "the MAC address is not one",
            self.hwaddr
                .as_deref()
                .is_some_and(|mac| !validate::is_mac(mac)),
        )?;
        wrong(
            "the VLAN tag is not 1 to 4094",
            self.tag.is_some_and(|tag| !(1..=4094).contains(&tag)),
        )?;
        wrong(
            "the MTU is not 64 to 65535",
            self.mtu.is_some_and(|mtu| mtu < 64),
        )?;
        wrong(
            "the IPv4 prefix is not 0 to 32",
            matches!(self.ipv4, Ipv4::Static { prefix: 33.., .. }),
        )?;
        wrong(
            "the IPv6 prefix is not 0 to 128",
            matches!(self.ipv6, Ipv6::Static { prefix: 129.., .. }),
        )?;
        let plain = |text: &String| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != ',')
        };
        let other = self
            .other
            .iter()
            .all(|(name, value)| plain(name) && !name.contains('=') && plain(value));
        wrong("another property is not plain text", !other)
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![format!("name={}", self.name)];
        let mut say = |name: &str, value: Option<String>| {
            parts.extend(value.map(|value| format!("{name}={value}")));
        };
        say("bridge", self.bridge.clone());
        say("firewall", self.firewall.then(|| "1".to_owned()));
        let (ip, gateway) = match self.ipv4 {
            Ipv4::Unset => (None, None),
            Ipv4::Dhcp => (Some("dhcp".to_owned()), None),
            Ipv4::Manual => (Some("manual".to_owned()), None),
            Ipv4::Static {
                address,
                prefix,
                gateway,
            } => (Some(format!("{address}/{prefix}")), gateway),
        };
        say("gw", gateway.map(|gateway| gateway.to_string()));
        let (ip6, gateway6) = match self.ipv6 {
            Ipv6::Unset => (None, None),
            Ipv6::Auto => (Some("auto".to_owned()), None),
            Ipv6::Dhcp => (Some("dhcp".to_owned()), None),
            Ipv6::Manual => (Some("manual".to_owned()), None),
            Ipv6::Static {
                address,
                prefix,
                gateway,
            } => (Some(format!("{address}/{prefix}")), gateway),
        };
        say("gw6", gateway6.map(|gateway| gateway.to_string()));
        say("hwaddr", self.hwaddr.clone());
        say("ip", ip);
        say("ip6", ip6);
        say("mtu", self.mtu.map(|mtu| mtu.to_string()));
        say("tag", self.tag.map(|tag| tag.to_string()));
        for (name, value) in &self.other {
            say(name, Some(value.clone()));
        }
        f.write_str(&parts.join(","))
    }
}

impl FromStr for Net {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        parse(text).ok_or_else(|| InvalidName::new("network interface", text))
    }
}

fn parse(text: &str) -> Option<Net> {
    let mut net = Net::default();
    let (mut ip, mut gw, mut ip6, mut gw6) = (None, None, None, None);
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        match name {
            "name" => value.clone_into(&mut net.name),
            "bridge" => net.bridge = Some(value.to_owned()),
            "hwaddr" => net.hwaddr = Some(value.to_owned()),
            "firewall" => net.firewall = forms::parse_flag(value)?,
            "tag" => net.tag = Some(value.parse().ok()?),
            "mtu" => net.mtu = Some(value.parse().ok()?),
            "ip" => ip = Some(value),
            "gw" => gw = Some(value.parse().ok()?),
            "ip6" => ip6 = Some(value),
            "gw6" => gw6 = Some(value.parse().ok()?),
            _ => drop(net.other.insert(name.to_owned(), value.to_owned())),
        }
    }
    net.ipv4 = match ip {
        None => Ipv4::Unset,
        Some("dhcp") => Ipv4::Dhcp,
        Some("manual") => Ipv4::Manual,
        Some(cidr) => {
            let (address, prefix) = cidr.split_once('/')?;
            Ipv4::Static {
                address: address.parse().ok()?,
                prefix: prefix.parse().ok()?,
                gateway: gw,
            }
        }
    };
    net.ipv6 = match ip6 {
        None => Ipv6::Unset,
        Some("auto") => Ipv6::Auto,
        Some("dhcp") => Ipv6::Dhcp,
        Some("manual") => Ipv6::Manual,
        Some(cidr) => {
            let (address, prefix) = cidr.split_once('/')?;
            Ipv6::Static {
                address: address.parse().ok()?,
                prefix: prefix.parse().ok()?,
                gateway: gw6,
            }
        }
    };
    (!net.name.is_empty()).then_some(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proxmox_stores_is_read_and_written_again() {
        for text in [
            "name=eth0,bridge=vmbr0,ip=dhcp",
            "name=eth0,bridge=vmbr0,firewall=1,gw=10.0.0.1,hwaddr=BC:24:11:AA:BB:CC,ip=10.0.0.5/24,mtu=1400,tag=20,type=veth",
            "name=eth1,bridge=lan,gw6=fd00::1,ip=manual,ip6=fd00::5/64,link_down=1,rate=12.5",
        ] {
            let net: Net = text.parse().unwrap();
            assert_eq!(net.check(), Ok(()));
            assert_eq!(net.to_string(), text);
        }
    }

    #[test]
    fn builders_say_what_is_meant() {
        assert_eq!(
            Net::dhcp("eth0", "vmbr0").in_vlan(7).to_string(),
            "name=eth0,bridge=vmbr0,ip=dhcp,tag=7"
        );
        let fixed = Net::fixed(
            "eth0",
            "vmbr0",
            Ipv4Addr::new(10, 0, 0, 5),
            24,
            Some(Ipv4Addr::new(10, 0, 0, 1)),
        );
        assert_eq!(
            fixed.to_string(),
            "name=eth0,bridge=vmbr0,gw=10.0.0.1,ip=10.0.0.5/24"
        );
    }

    #[test]
    fn nothing_slips_into_the_property() {
        let bad = |net: Net| assert!(net.check().is_err(), "{net}");
        bad(Net::dhcp("eth0,type=phys", "vmbr0"));
        bad(Net::dhcp("eth0", "vmbr0,ip=1.2.3.4/8"));
        bad(Net::dhcp("", "vmbr0"));
        bad(Net::dhcp("eth0", "vmbr0").in_vlan(0));
        bad(Net::dhcp("eth0", "vmbr0").in_vlan(4095));
        bad(Net {
            hwaddr: Some("x".to_owned()),
            ..Net::dhcp("eth0", "vmbr0")
        });
        bad(Net {
            mtu: Some(63),
            ..Net::dhcp("eth0", "vmbr0")
        });
        bad(Net::fixed("eth0", "vmbr0", Ipv4Addr::LOCALHOST, 33, None));
        bad(Net {
            other: BTreeMap::from([("rate".to_owned(), "1,tag=2".to_owned())]),
            ..Net::dhcp("eth0", "vmbr0")
        });
        for text in [
            "",
            "bridge=vmbr0",
            "name",
            "name=eth0,ip=10.0.0.1",
            "name=eth0,tag=x",
            "name=eth0,gw=y",
        ] {
            assert!(text.parse::<Net>().is_err(), "{text}");
        }
    }
}
