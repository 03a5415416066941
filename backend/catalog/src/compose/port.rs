//! A published port, short (`8080:80/tcp`) or long (`target`, `published`).

use serde::Serialize;

use crate::{
    finding::{At, Findings},
    interpolation::Interpolated,
    yaml::Node,
};

/// A port of a service that is published on the container's own address.
#[derive(Clone, Debug, Serialize)]
pub struct Port {
    /// Address it is bound to, where one is named.
    pub host: Option<String>,
    /// Port on the container's address, as written: may hold variables or a range.
    pub published: Option<String>,
    /// Port inside the service, as written.
    pub target: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    #[serde(skip)]
    pub(crate) at: At,
}

impl Port {
    /// The published TCP or UDP ports for given variables: one, a range, or none where it is chosen by Docker.
    pub fn numbers(
        &self,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Option<std::ops::RangeInclusive<u16>> {
        let text = Interpolated::parse(self.published.as_deref()?)
            .ok()?
            .fill(lookup)?;
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first > 0 && first <= last).then_some(first..=last)
    }

    /// Whether others than the container itself reach it.
    pub fn is_reachable(&self) -> bool {
        !matches!(self.host.as_deref(), Some(host) if host.starts_with("127.") || host == "localhost" || host == "::1")
    }
}

pub(super) fn read(node: &Node, findings: &mut Findings) -> Option<Port> {
    if let Some(text) = node.text() {
        return short(text, &node.at, findings);
    }
    let target = node.get("target").and_then(Node::text);
    let Some(target) = target else {
        findings.error(
            &node.at,
            format!(
                "A port needs `target` or the form 8080:80, and this is {}.",
                node.describe()
            ),
        );
        return None;
    };
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    Some(Port {
        host: text("host_ip"),
        published: text("published"),
        target: target.to_owned(),
        protocol: text("protocol").unwrap_or_else(|| "tcp".to_owned()),
        at: node.at.clone(),
    })
}

fn short(text: &str, at: &At, findings: &mut Findings) -> Option<Port> {
    let (numbers, protocol) = match text.rsplit_once('/') {
        Some((numbers, protocol)) if !protocol.contains('}') => (numbers, protocol),
        _ => (text, "tcp"),
    };
    let mut parts = split(numbers);
    let target = parts.pop().unwrap_or_default();
    let published = parts.pop();
    let host = (!parts.is_empty()).then(|| parts.join(":"));
    if !plausible(&target)
        || published
            .as_deref()
            .is_some_and(|p| !p.is_empty() && !plausible(p))
    {
        findings.error(
            at,
            "This is no port; write it like \"8080:80\" or \"53:53/udp\".",
        );
        return None;
    }
    Some(Port {
        host: host.map(|h| h.trim_matches(['[', ']']).to_owned()),
        published: published.filter(|p| !p.is_empty()),
        target,
        protocol: protocol.to_owned(),
        at: at.clone(),
    })
}

/// Digits, a range of them, or something with a variable in it.
fn plausible(text: &str) -> bool {
    let number = |t: &str| t.parse::<u16>().is_ok_and(|n| n > 0);
    text.contains('$')
        || text
            .split_once('-')
            .map_or_else(|| number(text), |(a, b)| number(a) && number(b))
}

/// Splits at the colons that are not inside `${…}`.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    let mut previous = '\0';
    for c in text.chars() {
        match c {
            '{' if previous == '$' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ':' if depth == 0 => {
                parts.push(String::new());
                previous = c;
                continue;
            }
            _ => {}
        }
        previous = c;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> Option<(Option<String>, Option<String>, String, String)> {
        let mut findings = Findings::default();
        short(text, &At::file("compose.yaml"), &mut findings)
            .map(|p| (p.host, p.published, p.target, p.protocol))
    }

    #[test]
    fn short_forms() {
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(port("80"), Some((None, None, "80".into(), "tcp".into())));
        assert_eq!(
            port("53:53/udp"),
            Some((None, some("53"), "53".into(), "udp".into()))
        );
        assert_eq!(
            port("${PORT:-5432}:5432"),
            Some((None, some("${PORT:-5432}"), "5432".into(), "tcp".into()))
        );
        assert_eq!(
            port("127.0.0.1:8080:80"),
            Some((some("127.0.0.1"), some("8080"), "80".into(), "tcp".into()))
        );
        assert_eq!(
            port("[::1]:8080:80"),
            Some((some("::1"), some("8080"), "80".into(), "tcp".into()))
        );
        assert_eq!(
            port("127.0.0.1::80"),
            Some((some("127.0.0.1"), None, "80".into(), "tcp".into()))
        );
        assert_eq!(port("eighty"), None);
        assert_eq!(port("70000:80"), None);
    }

    #[test]
    fn ranges_and_variables_become_numbers() {
        let mut findings = Findings::default();
        let at = At::file("compose.yaml");
        let numbers = |text: &str, findings: &mut Findings| {
            short(text, &at, findings)
                .unwrap()
                .numbers(&|name| (name == "PORT").then(|| "8443".to_owned()))
        };
        assert_eq!(
            numbers("3000-3005:3000-3005", &mut findings),
            Some(3000..=3005)
        );
        assert_eq!(numbers("${PORT:-80}:80", &mut findings), Some(8443..=8443));
        assert_eq!(numbers("${OTHER:-80}:80", &mut findings), Some(80..=80));
        assert_eq!(numbers("80", &mut findings), None);
    }
}
