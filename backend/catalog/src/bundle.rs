//! Exactly one version of an entry, kept: what an app was deployed from must outlive changes of the catalog.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

use crate::{Error, Files, Manifest};

/// The files of an entry and its identifier. As JSON, files are base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Identifier of the entry.
    pub id: String,
    /// Its files by path.
    #[serde(serialize_with = "encode", deserialize_with = "decode")]
    pub files: Files,
}

impl Bundle {
    /// SHA-256 over names and contents in hexadecimal digits: the same for the same files, wherever they are kept.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(self.id.as_bytes());
        for (path, bytes) in &self.files {
            part(path.as_bytes());
            part(bytes);
        }
        hex::encode(hash.finalize())
    }
}

impl Manifest {
    /// Everything that this version was read from, its tests excepted.
    pub fn bundle(&self) -> Bundle {
        let files = self
            .files
            .iter()
            .filter(|(path, _)| !path.starts_with("tests/"));
        Bundle {
            id: self.id.clone(),
            files: files
                .map(|(path, bytes)| (path.clone(), bytes.clone()))
                .collect(),
        }
    }

    /// The version that a bundle was made from.
    pub fn from_bundle(bundle: &Bundle) -> Result<Self, Error> {
        Self::from_files(&bundle.id, bundle.files.clone())
    }

    /// [`Bundle::digest`] of this version.
    pub fn digest(&self) -> String {
        self.bundle().digest()
    }
}

fn encode<S: Serializer>(files: &Files, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        files
            .iter()
            .map(|(path, bytes)| (path, STANDARD.encode(bytes))),
    )
}

fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Files, D::Error> {
    let encoded = std::collections::BTreeMap::<String, String>::deserialize(deserializer)?;
    encoded
        .into_iter()
        .map(|(path, text)| {
            let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
            Ok((path, bytes))
        })
        .collect()
}
