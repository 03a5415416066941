//! From the entries of a mapping to the mapping: no key twice, `<<` merged.

use std::collections::HashSet;

use super::{Kind, Map, Node, build::refuse};
use crate::{finding::Finding, text};

/// Refuses keys that stand twice and merges `<<`.
pub(super) fn mapping(entries: Vec<(Node, Node)>) -> Result<Map, Finding> {
    let mut seen = HashSet::new();
    let mut own = Vec::with_capacity(entries.len());
    let mut merged = Vec::new();
    for (key, value) in entries {
        let Kind::Scalar(scalar) = &key.kind else {
            return Err(refuse(
                &key.at,
                "A key must be text, not a list or a mapping.",
            ));
        };
        if scalar.text == "<<" && scalar.plain {
            merge(value, &mut merged)?;
            continue;
        }
        if key.is_null() {
            return Err(refuse(&key.at, "A key is missing before the colon."));
        }
        if !seen.insert(scalar.text.clone()) {
            let key_text = text::excerpt(&scalar.text);
            return Err(refuse(
                &key.at,
                format!("The key `{key_text}` stands here twice."),
            ));
        }
        own.push((key, value));
    }
    for (key, value) in merged {
        if let Some(text) = key.text()
            && seen.insert(text.to_owned())
        {
            own.push((key, value));
        }
    }
    Ok(Map(own))
}

fn merge(value: Node, merged: &mut Vec<(Node, Node)>) -> Result<(), Finding> {
    match value.kind {
        Kind::Map(map) => merged.extend(map.0),
        Kind::List(list) => {
            for node in list {
                let Kind::Map(map) = node.kind else {
                    return Err(refuse(&node.at, "`<<` merges mappings, and this is none."));
                };
                merged.extend(map.0);
            }
        }
        Kind::Scalar(_) => {
            return Err(refuse(&value.at, "`<<` merges mappings, and this is none."));
        }
    }
    Ok(())
}
