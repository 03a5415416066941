//! `ports:` in its short and long forms.

use serde_yaml::Value;

use crate::guests::modelled::docker::container::Port;

fn invalid(text: &str) -> String {
    format!("invalid containerPort: {text}")
}

/// `80`, `3000-3005`.
fn range(text: &str) -> Option<Vec<u16>> {
    match text.split_once('-') {
        Some((low, high)) => Some((low.parse().ok()?..=high.parse().ok()?).collect()),
        None => Some(vec![text.parse().ok()?]),
    }
}

/// One entry, which may stand for a range of ports.
pub(super) fn parse(value: &Value) -> Result<Vec<Port>, String> {
    match value {
        Value::Mapping(map) => {
            let text = |key: &str| match map.get(key) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            let target = text("target")
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| invalid(""))?;
            let published = match text("published") {
                Some(text) if text.is_empty() => 0,
                Some(text) => text
                    .split('-')
                    .next()
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| invalid(&text))?,
                None => 0,
            };
            Ok(vec![Port {
                address: text("host_ip").unwrap_or_else(|| "0.0.0.0".to_owned()),
                published,
                target,
                protocol: text("protocol").unwrap_or_else(|| "tcp".to_owned()),
            }])
        }
        Value::Number(number) => short(&number.to_string()),
        Value::String(text) => short(text),
        _ => Err(invalid("")),
    }
}

fn short(text: &str) -> Result<Vec<Port>, String> {
    let (mapping, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    if !matches!(protocol, "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let (rest, target) = mapping.rsplit_once(':').unwrap_or(("", mapping));
    let targets = range(target).ok_or_else(|| invalid(target))?;
    let (address, published) = match rest.rsplit_once(':') {
        Some((address, published)) => (address.trim_matches(['[', ']']).to_owned(), published),
        None => ("0.0.0.0".to_owned(), rest),
    };
    let published = if published.is_empty() {
        vec![0; targets.len()]
    } else {
        range(published).ok_or_else(|| format!("invalid hostPort: {published}"))?
    };
    if published.len() != targets.len() {
        return Err(format!(
            "invalid ranges specified for container and host Ports: {target} and {rest}"
        ));
    }
    Ok(published
        .into_iter()
        .zip(targets)
        .map(|(published, target)| Port {
            address: address.clone(),
            published,
            target,
            protocol: protocol.to_owned(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let port = |text: &str| {
            parse(&Value::from(text)).map(|ports| {
                ports
                    .into_iter()
                    .map(|port| {
                        format!(
                            "{}:{}>{}/{}",
                            port.address, port.published, port.target, port.protocol
                        )
                    })
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(port("8080:80").unwrap(), ["0.0.0.0:8080>80/tcp"]);
        assert_eq!(
            port("127.0.0.1:53:53/udp").unwrap(),
            ["127.0.0.1:53>53/udp"]
        );
        assert_eq!(port("80").unwrap(), ["0.0.0.0:0>80/tcp"]);
        assert_eq!(
            port("3000-3001:4000-4001").unwrap(),
            ["0.0.0.0:3000>4000/tcp", "0.0.0.0:3001>4001/tcp"]
        );
        assert!(port("a:80").is_err());
        assert!(port("80:b").is_err());
        assert!(port("1-2:3").is_err());
    }
}
