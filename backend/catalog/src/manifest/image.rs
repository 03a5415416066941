//! Images that an entry pins.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Compose,
    finding::Findings,
    text,
    yaml::{Fields, Node},
};

/// A pinned image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Name and tag.
    #[serde(rename = "ref")]
    pub reference: String,
    /// `sha256:…`, where it is known.
    pub digest: Option<String>,
}

impl Image {
    /// Name, tag and digest as Docker takes them.
    pub fn pinned(&self) -> String {
        match &self.digest {
            Some(digest) if !self.reference.contains('@') => format!("{}@{digest}", self.reference),
            _ => self.reference.clone(),
        }
    }
}

pub(super) fn read(
    node: Option<&Node>,
    compose: &Compose,
    findings: &mut Findings,
) -> BTreeMap<String, Image> {
    let mut images = BTreeMap::new();
    let Some(map) = node.and_then(|n| n.map()) else {
        if let Some(node) = node {
            findings.error(
                &node.at,
                "`images` must be a mapping from services to images.",
            );
        }
        return images;
    };
    for (service, at, node) in map.entries() {
        let Some(mut fields) = Fields::of(node, "An image", findings) else {
            continue;
        };
        let reference = fields.text("ref", findings);
        let digest = fields.text("digest", findings);
        fields.finish(findings);
        let known = compose.service(service);
        if known.is_none() {
            findings.error(
                at,
                format!("There is no service `{}`.", text::excerpt(service)),
            );
        }
        let written = known.and_then(|s| s.image.clone());
        let Some(reference) = reference.or_else(|| written.clone()) else {
            findings.error(&node.at, "An image needs `ref`.");
            continue;
        };
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "._-/:@".contains(c));
        if reference.is_empty() || reference.contains(odd) {
            findings.error(&node.at, "`ref` must be a name and tag like nginx:1.29.");
        }
        if written
            .as_ref()
            .is_some_and(|w| *w != reference && !w.contains('$'))
        {
            findings.warning(
                &node.at,
                format!("compose.yaml names another image for `{service}`; this one is used."),
            );
        }
        if digest.as_deref().is_some_and(|d| !is_digest(d)) {
            findings.error(
                &node.at,
                "`digest` must be sha256: and 64 hexadecimal digits.",
            );
        }
        images.insert(service.to_owned(), Image { reference, digest });
    }
    images
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}
