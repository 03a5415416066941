//! Where a request comes from: the address of the connection, or what a trusted proxy says of it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

/// Reverse proxies whose `X-Forwarded-For` is believed; of anybody else it is what a stranger wrote.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<[IpNet]>);

/// It is no list of addresses and networks.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be addresses or networks, separated by commas")]
pub struct NoProxies;

impl FromStr for Proxies {
    type Err = NoProxies;

    /// `10.0.0.2, fd00::/64`: addresses or networks, separated by commas.
    fn from_str(list: &str) -> Result<Self, NoProxies> {
        let network = |text: &str| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or(address).map_err(|_| NoProxies)
        };
        let list = list.split(',').map(str::trim);
        let networks = list.filter(|text| !text.is_empty()).map(network);
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl Proxies {
    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Each proxy appends whom it talks to, so the list is read from its end, as far as it was written by proxies.
    fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer.to_canonical();
        let lines = headers.get_all("x-forwarded-for").into_iter();
        let told: Vec<&str> = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .collect();
        for told in told.into_iter().rev() {
            if !self.has(origin) {
                break;
            }
            let Some(before) = address(told.trim()) else {
                break;
            };
            origin = before.to_canonical();
        }
        origin
    }
}

/// An address; some proxies write a port behind it.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    text.parse().ok().or_else(with_port)
}

/// The address that a request comes from. Unspecified (`0.0.0.0`) where there was no connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(pub(crate) IpAddr);

impl<S> FromRequestParts<S> for Origin
where
    S: Send + Sync,
    Proxies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
        Ok(Self(Proxies::from_ref(state).origin(peer, &parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn origin(proxies: &str, peer: &str, told: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in told {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let proxies: Proxies = proxies.parse().unwrap();
        proxies.origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        assert_eq!(origin("", "10.0.0.9", &["1.2.3.4"]), "10.0.0.9");
        assert_eq!(origin("10.0.0.2", "10.0.0.9", &["1.2.3.4"]), "10.0.0.9");
        assert_eq!(origin("10.0.0.2", "10.0.0.2", &["1.2.3.4"]), "1.2.3.4");
        // The left one is what the client itself sent.
        let forged = origin("10.0.0.2", "10.0.0.2", &["6.6.6.6, 1.2.3.4"]);
        assert_eq!(forged, "1.2.3.4");
        let two_lines = origin("10.0.0.2", "10.0.0.2", &["6.6.6.6", "1.2.3.4:99"]);
        assert_eq!(two_lines, "1.2.3.4");
        let chain = origin("10.0.0.0/24, ::1", "::1", &["6.6.6.6, 1.2.3.4, 10.0.0.3"]);
        assert_eq!(chain, "1.2.3.4");
        let mapped = origin("10.0.0.2", "::ffff:10.0.0.2", &["fd00::1"]);
        assert_eq!(mapped, "fd00::1");
    }

    #[test]
    fn what_is_no_address_is_not_believed() {
        assert_eq!(origin("10.0.0.2", "10.0.0.2", &["unknown"]), "10.0.0.2");
        assert_eq!(origin("10.0.0.2", "10.0.0.2", &[]), "10.0.0.2");
        assert!("proxy.lan".parse::<Proxies>().is_err());
        assert!("10.0.0.0/40".parse::<Proxies>().is_err());
    }
}
