//! Every request of this client against Proxmox's own description of its API, of 8.4 and of 9.1.
//!
//! The descriptions are too large to keep here. Where they do not lie beside the workspace the tests say that they skip.

use std::collections::BTreeSet;
use std::path::Path;

use fancy_regex::Regex;
use proxmox::RequestShape;
use serde_json::{Map, Value};

/// A file of the API description: `[{path, info: {METHOD: {parameters: {properties}}}}]`.
#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests has to see what was skipped"
)]
fn schema(version: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/reference")
        .join(format!("pve-api-{version}.json"));
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: no {}", path.display());
        return None;
    };
    Some(serde_json::from_slice(&text).expect("the description is JSON"))
}

/// The properties that a method takes, path variables included.
fn properties<'a>(schema: &'a [Value], method: &str, path: &str) -> Option<&'a Map<String, Value>> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let entry = schema.iter().find(|entry| entry["path"] == path)?;
    let parameters = &entry["info"].get(method)?["parameters"];
    Some(parameters["properties"].as_object().unwrap_or(&NONE))
}

/// All that the description has against a request.
fn complaints(schema: &[Value], shape: &RequestShape) -> Vec<String> {
    let RequestShape { method, path, .. } = shape;
    let Some(properties) = properties(schema, method, path) else {
        return vec![format!("no {method} {path}")];
    };
    let mut complaints = Vec::new();
    let variables = shape.variables.iter().map(|(name, value)| (*name, value));
    let said = shape
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value));
    let mut names = BTreeSet::new();
    for (name, value) in variables.chain(said) {
        if !names.insert(name) {
            complaints.push(format!("{name} is said twice"));
        }
        match property(properties, name) {
            None => complaints.push(format!("{name} is not in the schema")),
            Some(property) => complaints
                .extend(wrong(property, value).map(|why| format!("{name}={value:?}: {why}"))),
        }
    }
    let required = properties
        .iter()
        .filter(|(_, property)| property["optional"] != 1);
    let missing = required.filter(|(name, _)| !names.contains(name.as_str()));
    complaints.extend(missing.map(|(name, _)| format!("{name} is missing")));
    complaints
        .into_iter()
        .map(|complaint| format!("{method} {path}: {complaint}"))
        .collect()
}

/// A property by name; `net0` is described as `net[n]`.
fn property<'a>(properties: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let numbered = || format!("{}[n]", name.trim_end_matches(|c: char| c.is_ascii_digit()));
    properties.get(name).or_else(|| properties.get(&numbered()))
}

fn number(property: &Value, key: &str) -> Option<f64> {
    let value = property.get(key)?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// What is wrong with a value, by type, limits, enum, pattern and format.
fn wrong(property: &Value, value: &str) -> Option<String> {
    let in_range = |value: f64| {
        number(property, "minimum").is_none_or(|least| value >= least)
            && number(property, "maximum").is_none_or(|most| value <= most)
    };
    let typed = match property["type"].as_str() {
        Some("integer") => value
            .parse::<i64>()
            .is_ok_and(|_| in_range(value.parse().expect("it is an integer"))),
        Some("number") => value.parse::<f64>().is_ok_and(in_range),
        Some("boolean") => ["0", "1"].contains(&value),
        Some("string") | None => true,
        Some(other) => return Some(format!("unknown type {other}")),
    };
    if !typed {
        return Some(format!("not a {} in range", property["type"]));
    }
    let length = f64::from(u32::try_from(value.len()).expect("a short value"));
    if let Some(longest) = number(property, "maxLength").filter(|longest| length > *longest) {
        return Some(format!("longer than {longest}"));
    }
    if let Some(least) = number(property, "minLength").filter(|least| length < *least) {
        return Some(format!("shorter than {least}"));
    }
    if let Some(allowed) = property["enum"]
        .as_array()
        .filter(|allowed| !allowed.iter().any(|word| word == value))
    {
        return Some(format!("not one of {allowed:?}"));
    }
    if let Some(pattern) = property["pattern"]
        .as_str()
        .filter(|pattern| !matches(pattern, value))
    {
        return Some(format!("does not match {pattern}"));
    }
    match &property["format"] {
        Value::Object(parts) => wrong_property_string(parts, value),
        Value::String(name) => wrong_format(name, value),
        _ => None,
    }
}

/// A whole match, as Proxmox makes it. `(?^:…)` is Perl for "with default flags".
fn matches(pattern: &str, value: &str) -> bool {
    let pattern = pattern.replace("(?^:", "(?:").replace("(?^i:", "(?i:");
    Regex::new(&format!("^(?:{pattern})$"))
        .expect("a pattern")
        .is_match(value)
        .expect("a match")
}

/// `key=value,…` with one key that may go unnamed.
fn wrong_property_string(parts: &Map<String, Value>, value: &str) -> Option<String> {
    let mut names = BTreeSet::new();
    for part in value.split(',') {
        let default = || {
            parts
                .iter()
                .find(|(_, part)| part["default_key"] == 1)
                .map(|(name, _)| name.as_str())
        };
        let (name, value) = part.split_once('=').or_else(|| Some((default()?, part)))?;
        names.insert(name);
        match parts.get(name) {
            None => return Some(format!("{name} is not a part of it")),
            Some(property) => {
                if let Some(why) = wrong(property, value) {
                    return Some(format!("{name}: {why}"));
                }
            }
        }
    }
    let missing = parts
        .iter()
        .find(|(name, part)| part["optional"] != 1 && !names.contains(name.as_str()));
    missing.map(|(name, _)| format!("{name} is missing"))
}

/// Proxmox's named formats, as its source defines them.
fn wrong_format(name: &str, value: &str) -> Option<String> {
    const LABEL: &str = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
    if let Some(item) = name
        .strip_suffix("-list")
        .filter(|item| *item != "lxc-ip-with-ll-iface")
    {
        let mut items = value.split([',', ';', ' ', '\0']);
        return items.find_map(|part| wrong_format(item, part));
    }
    let cidr = |value: &str, longest: u8| {
        value
            .split_once('/')
            .is_some_and(|(_, prefix)| prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest))
    };
    let address = |value: &str| value.split('/').next().unwrap_or_default().to_owned();
    let right = match name {
        "pve-node" => matches(LABEL, value),
        "dns-name" => matches(&format!(r"{LABEL}(?:\.{LABEL})*"), value),
        "pve-vmid" => matches(r"[1-9][0-9]{2,8}", value),
        "pve-storage-id" | "storage-id" => matches(r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]", value),
        "pve-storage-content" => [
            "images", "rootdir", "vztmpl", "iso", "backup", "snippets", "none",
        ]
        .contains(&value),
        "pve-poolid" => matches(r"[A-Za-z0-9._\-]+(?:/[A-Za-z0-9._\-]+){0,2}", value),
        "pve-tag" => matches(r"[a-z0-9_][a-z0-9_\-+.]*", value),
        "pve-configid" => matches(r"[a-zA-Z][a-zA-Z0-9_-]+", value),
        "pve-ct-timezone" => matches(r"host|[A-Za-z_]+/[A-Za-z_/]+|UTC", value),
        "lxc-ip-with-ll-iface-list" => value
            .split(' ')
            .all(|part| part.parse::<std::net::IpAddr>().is_ok()),
        "ipv4" => value.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => value.parse::<std::net::Ipv6Addr>().is_ok(),
        "mac-addr" => matches(r"[a-fA-F0-9][02468aceACE](?::[a-fA-F0-9]{2}){5}", value),
        "pve-ipv4-config" => {
            ["dhcp", "manual"].contains(&value)
                || cidr(value, 32) && address(value).parse::<std::net::Ipv4Addr>().is_ok()
        }
        "pve-ipv6-config" => {
            ["auto", "dhcp", "manual"].contains(&value)
                || cidr(value, 128) && address(value).parse::<std::net::Ipv6Addr>().is_ok()
        }
        "pve-lxc-mp-string" => matches(r"[a-zA-Z][a-zA-Z0-9\-_.]*:\d+(?:\.\d+)?", value),
        other => return Some(format!("nobody checks the format {other}")),
    };
    (!right).then(|| format!("not of the format {name}"))
}

fn every_request_is_valid(version: &str) {
    let Some(schema) = schema(version) else {
        return;
    };
    let shapes = proxmox::requests();
    assert!(shapes.len() >= 30, "{}", shapes.len());
    let complaints: Vec<String> = shapes
        .iter()
        .flat_map(|shape| complaints(&schema, shape))
        .collect();
    assert!(
        complaints.is_empty(),
        "{version}:\n{}",
        complaints.join("\n")
    );
}

#[test]
fn every_request_is_valid_on_9_1() {
    every_request_is_valid("9.1");
}

#[test]
fn every_request_is_valid_on_8_4() {
    every_request_is_valid("8.4");
}

/// The create call is made with everything, so a parameter that is spoilt or invented has to be found.
#[test]
fn a_wrong_request_is_found() {
    let Some(schema) = schema("8.4") else { return };
    let shapes = proxmox::requests();
    let full = shapes
        .iter()
        .filter(|shape| shape.path == "/nodes/{node}/lxc")
        .max_by_key(|shape| shape.parameters.len());
    let full = full.expect("containers are created");
    assert!(complaints(&schema, full).is_empty());
    let spoilt = [
        ("features", "nesting=2"),
        ("features", "magic=1"),
        ("net0", "bridge=vmbr0"),
        ("net1", "name=eth1,tag=4095"),
        ("net1", "name=eth1,ip=10.0.0.5"),
        ("net1", "name=eth1,host-managed=1"), // since 9.1 only
        ("rootfs", "8"),
        ("vmid", "99"),
        ("memory", "15"),
        ("unprivileged", "yes"),
        ("hostname", "a_b"),
        ("ostype", "windows"),
        ("tags", "A"),
        ("nameserver", "one"),
    ];
    for (name, value) in spoilt {
        let mut shape = full.clone();
        let parameter = shape
            .parameters
            .iter_mut()
            .find(|(known, _)| known == name)
            .expect("the full call has it");
        value.clone_into(&mut parameter.1);
        assert_eq!(
            complaints(&schema, &shape).len(),
            1,
            "{name}={value}: {:?}",
            complaints(&schema, &shape)
        );
    }
    let mut shape = full.clone();
    shape
        .parameters
        .push(("entrypoint".to_owned(), "/init".to_owned())); // since 9.1 only
    shape.parameters.retain(|(name, _)| name != "ostemplate");
    assert_eq!(complaints(&schema, &shape).len(), 2);
}
