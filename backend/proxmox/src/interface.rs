//! Which addresses a running container has.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::{Fields, Reply};
use crate::request::Request;
use crate::{Client, NodeName, Result, Vmid};

/// An address with the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// Length of the prefix.
    pub prefix: u8,
}

impl Address {
    fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// `address/prefix`.
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        Self::new(address.parse().ok()?, prefix.parse().ok()?)
    }
}

/// A network interface inside a container. Once Docker runs there are `docker0`, `br-…` and `veth…` too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its MAC address.
    pub hwaddr: String,
    /// Its addresses.
    pub addresses: Vec<Address>,
}

pub(crate) fn interfaces(node: &NodeName, vmid: Vmid) -> Request {
    Request::guest(Endpoint::Interfaces, node, vmid)
}

/// Since 8.4 an interface has all addresses in `ip-addresses`; before, the last of each family in `inet` and `inet6`.
fn interface(row: &Fields<'_>) -> Result<Interface> {
    let mut addresses = Vec::new();
    for listed in row.inner_rows("ip-addresses")? {
        let address = listed.required("ip-address", listed.parsed("ip-address")?)?;
        let prefix = listed.required("prefix", listed.small("prefix")?)?;
        addresses.push(
            Address::new(address, prefix)
                .ok_or_else(|| listed.malformed("prefix", "a prefix length"))?,
        );
    }
    if addresses.is_empty() {
        for name in ["inet", "inet6"] {
            if let Some(text) = row.text(name)? {
                addresses.push(
                    Address::parse(&text).ok_or_else(|| row.malformed(name, "address/prefix"))?,
                );
            }
        }
    }
    let hwaddr = row
        .text("hwaddr")?
        .or(row.text("hardware-address")?)
        .unwrap_or_default();
    Ok(Interface {
        name: row.required("name", row.text("name")?)?,
        hwaddr,
        addresses,
    })
}

fn decode(reply: &Reply) -> Result<Vec<Interface>> {
    // This is how it says that the container does not run.
    if reply.data.is_null() {
        Ok(Vec::new())
    } else {
        reply.collect(interface)
    }
}

impl Client {
    /// The interfaces of a running container; none of one that does not run. Addresses from DHCP come seconds after the
    /// start, so ask again. Needs 8.1.
    pub async fn interfaces(&self, node: &NodeName, vmid: Vmid) -> Result<Vec<Interface>> {
        decode(&self.call(&interfaces(node, vmid)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(data: Value) -> Result<Vec<Interface>> {
        decode(&Reply {
            call: "GET /x".to_owned(),
            data,
        })
    }

    #[test]
    fn both_shapes_are_read() {
        let new = json!([{
            "name": "eth0", "hwaddr": "bc:24:11:00:00:01", "hardware-address": "bc:24:11:00:00:01", "inet": "10.0.0.9/24",
            "ip-addresses": [
                {"ip-address": "10.0.0.5", "ip-address-type": "inet", "prefix": "24"},
                {"ip-address": "fe80::1", "ip-address-type": "inet6", "prefix": 64}
            ]
        }]);
        let addresses = read(new).unwrap().remove(0).addresses;
        assert_eq!(
            addresses,
            [
                Address {
                    address: "10.0.0.5".parse().unwrap(),
                    prefix: 24
                },
                Address {
                    address: "fe80::1".parse().unwrap(),
                    prefix: 64
                }
            ]
        );
        let old = json!([{"name": "eth0", "hwaddr": "bc:24:11:00:00:01", "inet": "10.0.0.5/24", "inet6": "fe80::1/64"}]);
        assert_eq!(read(old).unwrap()[0].addresses, addresses);
    }

    #[test]
    fn a_stopped_container_has_none_and_nonsense_is_refused() {
        assert_eq!(read(Value::Null).unwrap(), []);
        assert_eq!(
            read(json!([{"name": "eth0", "hwaddr": "x"}])).unwrap()[0].addresses,
            []
        );
        for bad in [
            json!({}),
            json!([{"name": "eth0", "inet": "10.0.0.5"}]),
            json!([{"name": "eth0", "inet": "10.0.0.5/33"}]),
            json!([{}]),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
