//! Merging an override into a compose file.

use serde_yaml::{Mapping, Value};

/// Lists that an override replaces; all others it adds to.
const REPLACED: &[&str] = &["command", "entrypoint", "test"];
/// Lists of `NAME=value` (or of names) that mean a mapping.
const PAIRS: &[&str] = &[
    "environment",
    "labels",
    "annotations",
    "extra_hosts",
    "sysctls",
    "args",
];

/// Puts `over` on top of `base`.
pub(super) fn merge(base: &mut Value, over: Value) {
    let mut over = over;
    normalise(&mut over, "");
    normalise(base, "");
    combine(base, over, "");
}

/// What is left of `!override` and `!reset` after merging.
pub(super) fn strip_tags(value: &mut Value) {
    if let Value::Tagged(tagged) = value {
        *value = if is_reset(&tagged.tag.to_string()) {
            Value::Null
        } else {
            std::mem::take(&mut tagged.value)
        };
    }
    match value {
        Value::Mapping(map) => map.iter_mut().for_each(|(_, item)| strip_tags(item)),
        Value::Sequence(items) => items.iter_mut().for_each(strip_tags),
        _ => {}
    }
}

fn is_reset(tag: &str) -> bool {
    tag.trim_start_matches('!') == "reset"
}

/// Brings the two ways to write a thing into one.
fn normalise(value: &mut Value, key: &str) {
    if let Value::Tagged(tagged) = value {
        normalise(&mut tagged.value, key);
        return;
    }
    if PAIRS.contains(&key)
        && let Value::Sequence(items) = value
    {
        *value = Value::Mapping(items.iter().filter_map(Value::as_str).map(pair).collect());
    }
    if matches!(key, "depends_on" | "networks")
        && let Value::Sequence(items) = value
    {
        *value = Value::Mapping(
            items
                .iter()
                .map(|item| (item.clone(), Value::Null))
                .collect(),
        );
    }
    if let Value::Mapping(map) = value {
        for (key, item) in map.iter_mut() {
            let key = key.as_str().unwrap_or_default().to_owned();
            normalise(item, &key);
        }
    }
}

fn pair(text: &str) -> (Value, Value) {
    match text.split_once('=') {
        Some((name, value)) => (Value::from(name), Value::from(value)),
        None => (Value::from(text), Value::Null),
    }
}

fn combine(base: &mut Value, over: Value, key: &str) {
    match (base, over) {
        (base, Value::Tagged(tagged)) => {
            *base = if is_reset(&tagged.tag.to_string()) {
                Value::Null
            } else {
                tagged.value
            };
        }
        (Value::Mapping(base), Value::Mapping(over)) => combine_maps(base, over),
        (Value::Sequence(base), Value::Sequence(over)) if !REPLACED.contains(&key) => {
            for item in over {
                if key == "volumes" {
                    base.retain(|other| target(other) != target(&item));
                }
                if !base.contains(&item) {
                    base.push(item);
                }
            }
        }
        // A key without a value says nothing.
        (base, Value::Null) if !base.is_null() => {}
        (base, over) => *base = over,
    }
}

fn combine_maps(base: &mut Mapping, over: Mapping) {
    for (key, value) in over {
        let name = key.as_str().unwrap_or_default().to_owned();
        let reset = matches!(&value, Value::Tagged(tagged) if is_reset(&tagged.tag.to_string()));
        if reset {
            base.remove(&key);
            continue;
        }
        match base.get_mut(&key) {
            Some(existing) => combine(existing, value, &name),
            None => drop(base.insert(key, value)),
        }
    }
}

/// Where a volume is mounted.
fn target(volume: &Value) -> Option<String> {
    match volume {
        Value::String(text) => {
            let mut parts = text.split(':');
            let first = parts.next();
            parts.next().or(first).map(str::to_owned)
        }
        Value::Mapping(map) => map.get("target")?.as_str().map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Value {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn overrides() {
        let mut base = yaml(
            "services: {web: {image: a, command: [x], environment: [A=1, B=2], ports: ['80:80'], volumes: ['d:/data'], labels: {t: x}}}",
        );
        merge(&mut base, Value::Null);
        merge(
            &mut base,
            yaml(
                "services: {web: {image: b, command: [y], environment: {B: 3}, ports: ['81:81'], volumes: ['e:/data'], labels: !reset {}}, new: {image: c}}",
            ),
        );
        strip_tags(&mut base);
        assert_eq!(
            base,
            yaml(
                "services: {web: {image: b, command: [y], environment: {A: '1', B: 3}, ports: ['80:80', '81:81'], volumes: ['e:/data']}, new: {image: c}}"
            )
        );
        let mut base = yaml("services: {web: {ports: ['80:80']}}");
        merge(
            &mut base,
            yaml("services: {web: {ports: !override ['90:80']}}"),
        );
        assert_eq!(base, yaml("services: {web: {ports: ['90:80']}}"));
    }
}
