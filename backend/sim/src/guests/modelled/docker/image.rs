//! Images: their names, layers and sizes.

use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::known;
use crate::unix::tar;

/// One layer: its id as progress lines show it, and its size in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::guests::modelled) struct Layer {
    pub(in crate::guests::modelled) id: String,
    pub(in crate::guests::modelled) size: u64,
}

/// An image on the disk of a guest.
#[derive(Clone, Debug)]
pub(in crate::guests::modelled) struct Image {
    /// Name as it was asked for, with a tag or digest.
    pub(in crate::guests::modelled) reference: String,
    /// `sha256:…` of its configuration.
    pub(in crate::guests::modelled) id: String,
    /// `sha256:…` of its manifest; `None` for an image that was made here.
    pub(in crate::guests::modelled) digest: Option<String>,
    pub(in crate::guests::modelled) layers: Vec<Layer>,
    /// Files of an image that was made here.
    pub(in crate::guests::modelled) contents: Option<Vec<tar::Entry>>,
    pub(in crate::guests::modelled) created: SystemTime,
}

/// Hexadecimal SHA-256 of a text.
pub(in crate::guests::modelled) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// A name with its tag: `nginx` is `nginx:latest`, `docker.io/library/nginx:1` is `nginx:1`.
pub(in crate::guests::modelled) fn normal(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') || last.contains('@') {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

/// A name that can be no image.
pub(in crate::guests::modelled) fn is_valid(name: &str) -> bool {
    let path = name.split('@').next().unwrap_or(name);
    !name.is_empty()
        && !path
            .chars()
            .any(|c| c.is_ascii_uppercase() && !path.rsplit('/').next().unwrap_or("").contains(':'))
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c))
        && !name.starts_with(['-', '.', '/', ':', '@'])
}

impl Image {
    /// What the registry holds under a name.
    pub(in crate::guests::modelled) fn in_registry(reference: &str) -> Self {
        let reference = normal(reference);
        let size = known::size(&reference);
        // Two families of base images; a guest that has one of them already pulls the rest only.
        let (base, base_size) = if size < 60 << 20 {
            ("alpine", 3 << 20)
        } else {
            ("debian", 29 << 20)
        };
        let rest = size.saturating_sub(base_size);
        let shares = [60, 30, 10];
        let mut layers = vec![Layer {
            id: hash(&format!("base {base}"))[..12].to_owned(),
            size: base_size,
        }];
        layers.extend(shares.into_iter().enumerate().map(|(number, share)| Layer {
            id: hash(&format!("{reference} {number}"))[..12].to_owned(),
            size: rest * share / 100,
        }));
        let digest = match reference.split_once('@') {
            Some((_, digest)) => digest.to_owned(),
            None => format!("sha256:{}", hash(&format!("manifest {reference}"))),
        };
        Self {
            id: format!("sha256:{}", hash(&format!("config {reference}"))),
            digest: Some(digest),
            layers,
            contents: None,
            created: SystemTime::now(),
            reference,
        }
    }

    /// An image made of a tar archive.
    pub(in crate::guests::modelled) fn imported(
        reference: &str,
        archive: &[u8],
    ) -> Result<Self, &'static str> {
        let entries = tar::read(archive)?;
        let id = hex::encode(Sha256::digest(archive));
        Ok(Self {
            reference: normal(reference),
            layers: vec![Layer {
                id: id[..12].to_owned(),
                size: archive.len() as u64,
            }],
            id: format!("sha256:{id}"),
            digest: None,
            contents: Some(entries),
            created: SystemTime::now(),
        })
    }

    pub(in crate::guests::modelled) fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// Name and tag, as tables show them.
    pub(in crate::guests::modelled) fn repository_and_tag(&self) -> (&str, &str) {
        let name = self.reference.split('@').next().unwrap_or(&self.reference);
        let place = name
            .rfind(':')
            .filter(|place| !name[*place..].contains('/'));
        place.map_or((name, "<none>"), |place| {
            (&name[..place], &name[place + 1..])
        })
    }

    /// Whether a person means this image: by name, by name and digest, by id or its beginning.
    pub(in crate::guests::modelled) fn is_called(&self, name: &str) -> bool {
        let bare = name.strip_prefix("sha256:").unwrap_or(name);
        self.reference == normal(name)
            || (bare.len() >= 4 && self.id["sha256:".len()..].starts_with(bare))
            || self.digest.as_ref().is_some_and(|digest| {
                name.ends_with(&format!("@{digest}"))
                    && name.starts_with(self.repository_and_tag().0)
            })
    }
}
