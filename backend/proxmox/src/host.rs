//! Where the API listens.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::InvalidName;

/// A host of the cluster and the port of its API.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A DNS name or an address, IPv6 without brackets.
    pub host: String,
    /// Mostly 8006.
    pub port: u16,
}

impl HostPort {
    /// Where `pveproxy` listens unless somebody moved it.
    pub const DEFAULT_PORT: u16 = 8006;

    /// Takes `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address, with this port where none is given.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, InvalidName> {
        let invalid = || InvalidName::new("host", text);
        let port = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(invalid)
        };
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            match rest.split_once(']').ok_or_else(invalid)? {
                (host, "") => (host, default_port),
                (host, rest) => (host, port(rest.strip_prefix(':').ok_or_else(invalid)?)?),
            }
        } else if text.parse::<Ipv6Addr>().is_ok() {
            (text, default_port)
        } else {
            match text.split_once(':') {
                Some((host, rest)) => (host, port(rest)?),
                None => (text, default_port),
            }
        };
        let parsed = Self {
            host: host.to_owned(),
            port,
        };
        if parsed.is_valid() {
            Ok(parsed)
        } else {
            Err(invalid())
        }
    }

    /// Whether this can stand in a URL as a host; the fields are public, so it is asked again before use.
    pub(crate) fn is_valid(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let name = (1..=255).contains(&self.host.len())
            && self.host.bytes().all(plain)
            && !self.host.starts_with(['-', '.']);
        self.port != 0 && (name || self.host.parse::<Ipv6Addr>().is_ok())
    }
}

impl FromStr for HostPort {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse(text, Self::DEFAULT_PORT)
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms() {
        for (text, shown) in [
            ("pve.lan", "pve.lan:8006"),
            ("10.0.0.1:443", "10.0.0.1:443"),
            ("[fd00::1]:9", "[fd00::1]:9"),
            ("fd00::1", "[fd00::1]:8006"),
            ("[::1]", "[::1]:8006"),
        ] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn urls_and_other_inventions_are_refused() {
        for text in [
            "",
            "https://pve",
            "pve:0",
            "pve:x",
            "pve/8006",
            "a b",
            "user@pve",
            "[::1",
            "[pve!]",
            "pve:80:80",
            ":8006",
            "-x",
        ] {
            assert!(text.parse::<HostPort>().is_err(), "{text:?}");
        }
    }
}
