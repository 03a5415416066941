//! The files that Proxmox writes into a new container before its first start, and what differs from one
//! Alpine release to the next.

use std::fmt::Write as _;
use std::io::Result;
use std::net::IpAddr;
use std::path::Path;

use tokio::fs;

use super::super::GuestSpec;

/// The release in the name of an Alpine template: `3.23` of `alpine-3.23-default_20260116_amd64.tar.xz`.
pub(super) fn release(template: &str) -> Option<&str> {
    let release = template.strip_prefix("alpine-")?.split('-').next()?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    release
        .split_once('.')
        .filter(|(major, minor)| digits(major) && digits(minor))
        .map(|_| release)
}

/// Writes them below `root`, which nobody but us has written to so far: no link of a guest is followed.
pub(super) async fn write(
    root: &Path,
    spec: &GuestSpec,
    release: &str,
    gateway: &str,
) -> Result<()> {
    let etc = root.join("etc");
    fs::write(etc.join("hostname"), format!("{}\n", spec.hostname)).await?;
    let hosts = format!(
        "127.0.0.1\tlocalhost localhost.localdomain\n::1\tlocalhost\n127.0.1.1\t{}\n",
        spec.hostname
    );
    fs::write(etc.join("hosts"), hosts).await?;
    fs::write(etc.join("network/interfaces"), interfaces(spec)).await?;
    fs::write(etc.join("resolv.conf"), format!("nameserver {gateway}\n")).await?;
    fs::write(etc.join("alpine-release"), format!("{release}.0\n")).await?;
    fs::write(etc.join("os-release"), os_release(release)).await?;
    fs::write(etc.join("apk/repositories"), repositories(release)).await
}

fn interfaces(spec: &GuestSpec) -> String {
    let mut text = "auto lo\niface lo inet loopback\n\nauto eth0\n".to_owned();
    let fixed = spec
        .address
        .as_deref()
        .and_then(|address| address.split_once('/'));
    match fixed.and_then(|(address, prefix)| Some((address, netmask(prefix.parse().ok()?)))) {
        None => text.push_str("iface eth0 inet dhcp\n"),
        Some((address, netmask)) => {
            text.push_str("iface eth0 inet static\n");
            let _ = writeln!(text, "\taddress {address}\n\tnetmask {netmask}");
            if let Some(gateway) = &spec.gateway {
                let _ = writeln!(text, "\tgateway {gateway}");
            }
        }
    }
    text
}

/// `255.255.255.0` of 24.
fn netmask(prefix: u32) -> IpAddr {
    let bits = u32::MAX
        .checked_shl(32_u32.saturating_sub(prefix))
        .unwrap_or(0);
    IpAddr::from(bits.to_be_bytes())
}

fn os_release(release: &str) -> String {
    format!(
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID={release}.0\nPRETTY_NAME=\"Alpine Linux v{release}\"\n\
         HOME_URL=\"https://alpinelinux.org/\"\n"
    )
}

/// Both repositories, but for 3.22: there are templates that come with `main` alone, and Docker is in the other.
fn repositories(release: &str) -> String {
    let base = format!("http://dl-cdn.alpinelinux.org/alpine/v{release}");
    if release == "3.22" {
        format!("{base}/main\n")
    } else {
        format!("{base}/main\n{base}/community\n")
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::spec;
    use super::*;

    #[test]
    fn only_alpine_templates_are_known() {
        assert_eq!(
            release("alpine-3.23-default_20260116_amd64.tar.xz"),
            Some("3.23")
        );
        assert_eq!(release("debian-13-standard_13.1-2_amd64.tar.zst"), None);
        assert_eq!(release("alpine-edge-default_20260116_amd64.tar.xz"), None);
        assert_eq!(release("alpine-../x"), None);
    }

    #[test]
    fn an_address_is_fixed_or_asked_for() {
        assert!(interfaces(&spec(101)).ends_with("iface eth0 inet dhcp\n"));
        let mut fixed = spec(101);
        fixed.address = Some("10.213.0.7/23".to_owned());
        fixed.gateway = Some("10.213.0.1".to_owned());
        assert!(interfaces(&fixed).ends_with(
            "iface eth0 inet static\n\taddress 10.213.0.7\n\tnetmask 255.255.254.0\n\tgateway 10.213.0.1\n"
        ));
    }

    #[test]
    fn netmasks_of_all_lengths() {
        assert_eq!(netmask(0).to_string(), "0.0.0.0");
        assert_eq!(netmask(16).to_string(), "255.255.0.0");
        assert_eq!(netmask(32).to_string(), "255.255.255.255");
    }
}
