//! The variables that a compose file asks for.

use indexmap::IndexMap;

use crate::{
    finding::{At, Findings},
    interpolation::{Interpolated, Modifier},
    yaml::{Kind, Node},
};

/// A variable, all its uses taken together.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// First default that is plain text.
    pub(crate) default: Option<String>,
    /// Compose stops without it.
    pub(crate) required: bool,
    /// Somewhere it has neither default nor alternative: compose would put in nothing.
    pub(crate) bare: bool,
    /// Nothing would not do there: it is part of an image, a port or a mount.
    pub(crate) vital: bool,
    pub(crate) at: At,
}

/// Keys of a service whose values must not be empty.
const VITAL: &[&str] = &["image", "ports", "volumes"];

/// Every variable of a document in the order of its first use.
pub(crate) fn collect(root: &Node, findings: &mut Findings) -> Vec<Declared> {
    let mut found = IndexMap::new();
    let mut own = IndexMap::new();
    if let Kind::Map(map) = &root.kind {
        for (key, _, value) in map.entries() {
            // Compose reads our key too and refuses what it cannot, but asks for nothing in its name.
            let found = if key == "x-proximity" {
                &mut own
            } else {
                &mut found
            };
            walk(value, false, found, findings);
        }
    }
    found.into_values().collect()
}

fn walk(node: &Node, vital: bool, found: &mut IndexMap<String, Declared>, findings: &mut Findings) {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.text.contains('$') => {
            match Interpolated::parse(&scalar.text) {
                Ok(text) => text
                    .variables()
                    .iter()
                    .for_each(|v| add(found, &v.name, &v.modifier, vital, &node.at)),
                Err(message) => findings.error(
                    &node.at,
                    format!("Compose will refuse this text: {message}."),
                ),
            }
        }
        Kind::Scalar(_) => {}
        Kind::List(list) => list
            .iter()
            .for_each(|item| walk(item, vital, found, findings)),
        Kind::Map(map) => map.entries().for_each(|(key, _, value)| {
            walk(value, vital || VITAL.contains(&key), found, findings);
        }),
    }
}

fn add(
    found: &mut IndexMap<String, Declared>,
    name: &str,
    modifier: &Modifier,
    vital: bool,
    at: &At,
) {
    let declared = found.entry(name.to_owned()).or_insert_with(|| Declared {
        name: name.to_owned(),
        default: None,
        required: false,
        bare: false,
        vital: false,
        at: at.clone(),
    });
    match modifier {
        Modifier::None => {
            declared.bare = true;
            declared.vital |= vital;
        }
        Modifier::Required { .. } => declared.required = true,
        Modifier::Alternative { .. } => {}
        Modifier::Default { value, .. } => {
            let plain = value.variables().is_empty();
            if declared.default.is_none() && plain {
                declared.default = value.fill(&|_| None);
            }
        }
    }
}
