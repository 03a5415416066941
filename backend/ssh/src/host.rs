//! A node's address and the key that proves it is that node.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A node as SSH sees it. Without a key nothing is ever sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host {
    /// The node's name in the cluster; for messages.
    pub node: String,
    /// A host name or an IP address.
    pub address: String,
    /// The port of its SSH server.
    pub port: u16,
    /// The key that the server has to prove it holds.
    pub key: HostKey,
}

/// A server's public key, compared as a whole. Written as in `known_hosts`: `ssh-ed25519 AAAA…`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HostKey {
    blob: Vec<u8>,
}

/// Why a text is no host key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyError {
    /// There are not two words.
    #[error("a host key is written as a type and a base64 text, as in `ssh-ed25519 AAAA…`")]
    Shape,
    /// The second word is not base64 of a key.
    #[error("the host key's second word is not the base64 text of a key")]
    Encoding,
    /// The type before the key is not the type inside it.
    #[error("the host key is of another type than it says")]
    Kind,
    /// A type that is not used for comparing: a certificate, DSA, or something unknown.
    #[error("host keys can be ssh-ed25519, ecdsa-sha2-nistp256, -384, -521 or ssh-rsa")]
    Unsupported,
}

/// Types of keys and the signature algorithms to ask for when such a key is expected (RFC 8332 for RSA: the type stays
/// `ssh-rsa` while the signature is SHA-2).
const KINDS: [(&str, &str); 5] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512,rsa-sha2-256"),
];

impl HostKey {
    /// A key in its wire form (RFC 4253, 6.6: the type's name first).
    pub(crate) fn from_blob(blob: &[u8]) -> Result<Self, HostKeyError> {
        let kind = kind_of(blob).ok_or(HostKeyError::Encoding)?;
        if !KINDS.iter().any(|(known, _)| *known == kind) {
            return Err(HostKeyError::Unsupported);
        }
        Ok(Self {
            blob: blob.to_vec(),
        })
    }

    /// The type: `ssh-ed25519`, `ssh-rsa` …
    pub fn kind(&self) -> &str {
        kind_of(&self.blob).expect("a host key is only made from a blob that names its type")
    }

    /// The fingerprint as OpenSSH shows it: `SHA256:` and base64 without padding.
    pub fn fingerprint(&self) -> String {
        format!(
            "SHA256:{}",
            STANDARD_NO_PAD.encode(Sha256::digest(&self.blob))
        )
    }

    /// What to ask a server for so that it proves this key and not another of its keys.
    pub(crate) fn algorithms(&self) -> &'static str {
        let kind = self.kind();
        KINDS
            .iter()
            .find(|(known, _)| *known == kind)
            .map(|(_, algorithms)| *algorithms)
            .expect("a host key is only made of a known type")
    }

    /// What to ask a server for when any key will do. Certificates are left out: they are no keys to compare.
    pub(crate) fn any_algorithm() -> String {
        KINDS.map(|(_, algorithms)| algorithms).join(",")
    }
}

impl FromStr for HostKey {
    type Err = HostKeyError;

    fn from_str(text: &str) -> Result<Self, HostKeyError> {
        let mut words = text.split_ascii_whitespace();
        let (Some(kind), Some(encoded)) = (words.next(), words.next()) else {
            return Err(HostKeyError::Shape);
        };
        let blob = STANDARD
            .decode(encoded)
            .map_err(|_| HostKeyError::Encoding)?;
        let key = Self::from_blob(&blob)?;
        if key.kind() == kind {
            Ok(key)
        } else {
            Err(HostKeyError::Kind)
        }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind(), STANDARD.encode(&self.blob))
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HostKey({} {})", self.kind(), self.fingerprint())
    }
}

/// The type's name at the head of a key, if there is one and something follows it.
fn kind_of(blob: &[u8]) -> Option<&str> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (name, key) = rest.split_at_checked(length)?;
    if key.is_empty() {
        return None;
    }
    std::str::from_utf8(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0mCYW5z8MZz9jLnG7zZ1fC2iv0r3tN5k0m8a8K2v1R";

    #[test]
    fn a_key_survives_being_written_and_read() {
        let key: HostKey = KEY.parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        assert_eq!(format!("{KEY} root@pve1").parse(), Ok(key.clone()));
        assert_eq!(key.kind(), "ssh-ed25519");
        assert!(key.fingerprint().starts_with("SHA256:"));
        assert_eq!(key.fingerprint().len(), "SHA256:".len() + 43);
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        let parse = |text: &str| text.parse::<HostKey>().unwrap_err();
        assert_eq!(parse(""), HostKeyError::Shape);
        assert_eq!(parse("ssh-ed25519"), HostKeyError::Shape);
        assert_eq!(parse("ssh-ed25519 not*base64"), HostKeyError::Encoding);
        assert_eq!(parse("ssh-ed25519 AAAA"), HostKeyError::Encoding);
        // the name's length is past the end
        assert_eq!(parse("ssh-ed25519 /////wAA"), HostKeyError::Encoding);
        assert_eq!(
            parse(&KEY.replacen("ssh-ed25519", "ssh-rsa", 1)),
            HostKeyError::Kind
        );
        assert_eq!(
            parse("ssh-dss AAAAB3NzaC1kc3MAAAAA"),
            HostKeyError::Unsupported
        );
    }

    #[test]
    fn an_rsa_key_is_asked_for_by_its_modern_signatures() {
        let mut blob = 7_u32.to_be_bytes().to_vec();
        blob.extend_from_slice(b"ssh-rsa and more");
        let key = HostKey::from_blob(&blob).unwrap();
        assert_eq!(key.algorithms(), "rsa-sha2-512,rsa-sha2-256");
        assert!(!HostKey::any_algorithm().contains("cert"));
    }
}
