//! Secrets at rest: sealed with a key that is kept apart from the database.
//!
//! XChaCha20-Poly1305 with a random 24-byte nonce. The associated data names the row and column that a
//! ciphertext belongs to, so that nobody who can write to the database can move one app's secret to another.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sha2::{Digest as _, Sha256};

use crate::random;

/// First byte of every sealed value; a later scheme gets another.
const SCHEME: u8 = 1;
const NONCE: usize = 24;
const KEY_ID: usize = 4;

/// The key under which secrets are sealed. No `Debug`, no `Serialize`.
pub struct SecretKey {
    cipher: XChaCha20Poly1305,
    id: [u8; KEY_ID],
}

/// Why a secret cannot be opened or the key not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The key file cannot be read or made.
    #[error("the key file {path}: {source}")]
    KeyFile {
        /// Which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The key file holds something else than a key.
    #[error("the key file {path} does not hold 64 hexadecimal digits")]
    NotAKey {
        /// Which file.
        path: String,
    },
    /// Sealed under another key.
    #[error(
        "a secret in the database was sealed with another key; put the key file back that belongs to it"
    )]
    OtherKey,
    /// Changed, cut or moved to another row.
    #[error("a secret in the database is damaged or does not belong where it stands")]
    Damaged,
}

impl SecretKey {
    /// Reads the key file, or makes one (mode 0600) where there is none.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let failed = |source| SecretError::KeyFile {
            path: path.display().to_string(),
            source,
        };
        match fs::read_to_string(path) {
            Ok(text) => Self::from_hex(text.trim()).ok_or_else(|| SecretError::NotAKey {
                path: path.display().to_string(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = random::hex::<32>();
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(failed)?;
                writeln!(file, "{text}")
                    .and_then(|()| file.sync_all())
                    .map_err(failed)?;
                Ok(Self::from_hex(&text).expect("just written as hexadecimal digits"))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// A key of its own for one process; nothing that it seals can be opened later.
    pub fn ephemeral() -> Self {
        Self::from_bytes(random::bytes())
    }

    /// Names the key without telling anything of it.
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    fn from_hex(text: &str) -> Option<Self> {
        Some(Self::from_bytes(hex::decode(text).ok()?.try_into().ok()?))
    }

    fn from_bytes(bytes: [u8; 32]) -> Self {
        let id = Sha256::digest(bytes)[..KEY_ID]
            .try_into()
            .expect("a digest has 32 bytes");
        Self {
            cipher: XChaCha20Poly1305::new(&Key::from(bytes)),
            id,
        }
    }

    /// Seals `plain` for the place that `row` names, e.g. `apps/app_…/answers`.
    pub fn seal(&self, row: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = random::bytes::<NONCE>();
        let sealed = self
            .cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: row.as_bytes(),
                },
            )
            .expect("values are far smaller than the cipher's limit of 256 GiB");
        [&[SCHEME], &self.id[..], &nonce, &sealed].concat()
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>, SecretError> {
        let (scheme, rest) = sealed.split_first().ok_or(SecretError::Damaged)?;
        let (id, rest) = rest.split_at_checked(KEY_ID).ok_or(SecretError::Damaged)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(SecretError::Damaged)?;
        if *scheme != SCHEME {
            return Err(SecretError::Damaged);
        }
        if id != self.id {
            return Err(SecretError::OtherKey);
        }
        let nonce: [u8; NONCE] = nonce.try_into().expect("split at its length");
        self.cipher
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: sealed,
                    aad: row.as_bytes(),
                },
            )
            .map_err(|_| SecretError::Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_where_it_belongs() {
        let key = SecretKey::ephemeral();
        let sealed = key.seal("apps/1", b"hunter2");
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(key.open("apps/1", &sealed).unwrap(), b"hunter2");
        assert!(matches!(
            key.open("apps/2", &sealed),
            Err(SecretError::Damaged)
        ));
        assert!(matches!(
            SecretKey::ephemeral().open("apps/1", &sealed),
            Err(SecretError::OtherKey)
        ));
        assert!(matches!(
            key.open("apps/1", &sealed[..20]),
            Err(SecretError::Damaged)
        ));
    }

    #[test]
    fn a_key_file_is_made_once_and_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let sealed = SecretKey::from_file(&path).unwrap().seal("x", b"y");
        assert_eq!(
            SecretKey::from_file(&path)
                .unwrap()
                .open("x", &sealed)
                .unwrap(),
            b"y"
        );
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::write(&path, "short").unwrap();
        assert!(matches!(
            SecretKey::from_file(&path),
            Err(SecretError::NotAKey { .. })
        ));
    }
}
