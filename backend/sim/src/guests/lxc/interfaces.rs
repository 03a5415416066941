//! Addresses: what `ip` shows inside a guest, and the leases that dnsmasq has given out.

use std::net::IpAddr;

use serde::Deserialize;

use super::super::GuestInterface;
use super::command::Tool;
use super::paths::LabPaths;

/// A row of `ip --json address`.
#[derive(Deserialize)]
struct Row {
    ifname: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: Option<IpAddr>,
    prefixlen: u8,
}

/// The interfaces in what `ip --json address` printed.
pub(super) fn parse(json: &str) -> Option<Vec<GuestInterface>> {
    let rows: Vec<Row> = serde_json::from_str(json).ok()?;
    let interface = |row: Row| GuestInterface {
        name: row.ifname,
        hwaddr: row.address,
        addresses: row
            .addr_info
            .into_iter()
            .filter_map(|one| Some((one.local?, one.prefixlen)))
            .collect(),
    };
    Some(rows.into_iter().map(interface).collect())
}

/// Gives back the lease of a guest that is gone. A lease that stays only takes an address until it expires.
pub(super) async fn release_lease(lab: &LabPaths, hwaddr: &str) {
    let leases = tokio::fs::read_to_string(&lab.leases)
        .await
        .unwrap_or_default();
    for address in leased(&leases, hwaddr) {
        let _ = Tool::new("dhcp_release")
            .args([lab.bridge.as_str(), address, hwaddr])
            .text()
            .await;
    }
}

/// Addresses leased to `hwaddr`; a line is "expiry MAC address name client-id".
fn leased<'a>(leases: &'a str, hwaddr: &str) -> Vec<&'a str> {
    let address = |line: &'a str| {
        let mut words = line.split_whitespace().skip(1);
        (words.next()? == hwaddr).then(|| words.next()).flatten()
    };
    leases.lines().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_ip_prints() {
        let json = r#"[{"ifindex":1,"ifname":"lo","link_type":"loopback","address":"00:00:00:00:00:00",
            "addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},
            {"ifindex":2,"ifname":"eth0","link_index":9,"address":"bc:24:11:00:00:65","link_netnsid":0,
            "addr_info":[{"family":"inet","local":"10.213.0.139","prefixlen":24,"scope":"global"},
            {"family":"inet6","local":"fe80::be24:11ff:fe00:65","prefixlen":64}]}]"#;
        let interfaces = parse(json).unwrap();
        assert_eq!(interfaces[1].name, "eth0");
        assert_eq!(interfaces[1].hwaddr, "bc:24:11:00:00:65");
        assert_eq!(
            interfaces[1].addresses[0],
            ("10.213.0.139".parse().unwrap(), 24)
        );
        assert_eq!(interfaces[1].addresses.len(), 2);
        assert!(parse("Cannot find device").is_none());
    }

    #[test]
    fn finds_the_lease_of_one_guest() {
        let leases = "1795255000 bc:24:11:00:00:65 10.213.0.139 web 01:bc\n1795255001 bc:24:11:00:00:66 10.213.0.140 * *\n";
        assert_eq!(leased(leases, "bc:24:11:00:00:65"), ["10.213.0.139"]);
        assert!(leased(leases, "bc:24:11:00:00:67").is_empty());
    }
}
