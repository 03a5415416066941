//! Property strings, Proxmox's `key=value,key=value` with an optional unnamed first value.

use indexmap::IndexMap;

/// Takes a property string apart; `default_key` names a value that comes without a key.
/// The error is Proxmox's own sentence.
pub(crate) fn parse(
    text: &str,
    default_key: Option<&str>,
) -> Result<IndexMap<String, String>, String> {
    let mut found = IndexMap::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (key, value) = match (part.split_once('='), default_key) {
            (Some((key, value)), _) => (key.to_owned(), value.to_owned()),
            (None, Some(key)) if found.contains_key(key) => {
                return Err(format!(
                    "duplicate key in comma-separated list property: {key}"
                ));
            }
            (None, Some(key)) => (key.to_owned(), part.to_owned()),
            (None, None) => {
                return Err(
                    "value without key, but schema does not define a default key".to_owned(),
                );
            }
        };
        if found.insert(key.clone(), value).is_some() {
            return Err(format!(
                "duplicate key in comma-separated list property: {key}"
            ));
        }
    }
    Ok(found)
}

/// Puts a property string together as Proxmox stores it: the leading key first, the rest by name.
/// `bare` says that the leading value stands without its key.
pub(crate) fn print(properties: &IndexMap<String, String>, leading: &str, bare: bool) -> String {
    let mut parts = Vec::with_capacity(properties.len());
    if let Some(value) = properties.get(leading) {
        parts.push(if bare {
            value.clone()
        } else {
            format!("{leading}={value}")
        });
    }
    let mut rest: Vec<_> = properties
        .iter()
        .filter(|(key, _)| *key != leading)
        .collect();
    rest.sort();
    parts.extend(
        rest.into_iter()
            .map(|(key, value)| format!("{key}={value}")),
    );
    parts.join(",")
}

/// Whether a property string has `key=1` (or `on`, `yes`, `true`).
pub(crate) fn is_set(text: &str, key: &str) -> bool {
    parse(text, None)
        .ok()
        .and_then(|found| found.get(key).map(|value| truth(value) == Some(true)))
        .unwrap_or(false)
}

/// A boolean as Proxmox reads it.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Some(true),
        "0" | "off" | "no" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_in_proxmox_order() {
        let net = parse("bridge=vmbr0,name=eth0,ip=dhcp", None).unwrap();
        assert_eq!(print(&net, "name", false), "name=eth0,bridge=vmbr0,ip=dhcp");
        let rootfs = parse("local-lvm:8,acl=1", Some("volume")).unwrap();
        assert_eq!(print(&rootfs, "volume", true), "local-lvm:8,acl=1");
    }

    #[test]
    fn refuses_what_proxmox_refuses() {
        assert!(parse("vmbr0", None).unwrap_err().contains("default key"));
        assert!(parse("a=1,a=2", None).unwrap_err().contains("duplicate"));
        assert!(is_set("nesting=1,keyctl=0", "nesting"));
        assert!(!is_set("nesting=1,keyctl=0", "keyctl"));
    }
}
