//! Values that are made up once and kept.

use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rand::{CryptoRng, RngExt};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";
/// Harmless in URLs, shells and configuration files alike.
const SYMBOLS: &[u8] = b"-_.~";

/// How a value is made up when none is given.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Generate {
    /// Letters, digits and perhaps symbols, at least one of each.
    Password {
        /// Number of characters.
        length: usize,
        /// Whether it holds `-_.~` too.
        symbols: bool,
    },
    /// Letters and digits.
    Alnum {
        /// Number of characters.
        length: usize,
    },
    /// Random bytes as hexadecimal digits.
    Hex {
        /// Number of bytes; twice as many digits.
        bytes: usize,
    },
    /// Random bytes in base64.
    Base64 {
        /// Number of bytes.
        bytes: usize,
    },
    /// A random UUID.
    Uuid,
    /// A letter, then letters and digits: fit for a user of most databases.
    Username,
    /// A JSON Web Token, signed with HS256.
    Jwt {
        /// Name of the parameter that is the key.
        secret: String,
        /// Its claims, as they are.
        claims: Map<String, Value>,
    },
    /// Derived from another secret, so that the same one always gives the same value: hexadecimal digits of
    /// HMAC-SHA-256 over this parameter's name.
    From {
        /// Name of that secret.
        of: String,
        /// Number of digits, at most 64.
        length: usize,
    },
}

impl Generate {
    /// Whether what it makes must not be shown.
    pub fn makes_a_secret(&self) -> bool {
        !matches!(self, Self::Uuid | Self::Username)
    }

    /// The parameter whose value it needs first.
    pub(crate) fn needs(&self) -> Option<&str> {
        match self {
            Self::Jwt { secret, .. } => Some(secret),
            Self::From { of, .. } => Some(of),
            _ => None,
        }
    }

    /// Makes a value for the parameter `name`; `other` is the value of what it [needs](Self::needs).
    pub(crate) fn make(&self, name: &str, other: &str, rng: &mut dyn CryptoRng) -> String {
        match self {
            Self::Password { length, symbols } => password(*length, *symbols, rng),
            Self::Alnum { length } => pick(&[LOWER, UPPER, DIGITS].concat(), *length, rng),
            Self::Hex { bytes } => hex::encode(random(*bytes, rng)),
            Self::Base64 { bytes } => STANDARD.encode(random(*bytes, rng)),
            Self::Uuid => {
                let mut bytes = [0; 16];
                rng.fill_bytes(&mut bytes);
                uuid::Builder::from_random_bytes(bytes)
                    .into_uuid()
                    .to_string()
            }
            Self::Username => pick(LOWER, 1, rng) + &pick(&[LOWER, DIGITS].concat(), 9, rng),
            Self::Jwt { claims, .. } => jwt(other, claims),
            Self::From { length, .. } => {
                let mut digits = hex::encode(sign(other, name.as_bytes()));
                digits.truncate(*length);
                digits
            }
        }
    }
}

fn random(bytes: usize, rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut buffer = vec![0; bytes];
    rng.fill_bytes(&mut buffer);
    buffer
}

fn pick(alphabet: &[u8], length: usize, rng: &mut dyn CryptoRng) -> String {
    (0..length)
        .map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())]))
        .collect()
}

fn password(length: usize, symbols: bool, rng: &mut dyn CryptoRng) -> String {
    let mut classes = vec![LOWER, UPPER, DIGITS];
    if symbols {
        classes.push(SYMBOLS);
    }
    // Drawn again until every class is in it, which keeps all such passwords equally likely.
    loop {
        let candidate = pick(&classes.concat(), length, rng);
        let has = |class: &&[u8]| candidate.bytes().any(|b| class.contains(&b));
        let begins_well = candidate.starts_with(|c: char| c.is_ascii_alphanumeric());
        if classes.iter().all(has) && begins_well {
            return candidate;
        }
    }
}

fn sign(key: &str, message: &[u8]) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// RFC 7519 with the algorithm HS256 of RFC 7518.
fn jwt(key: &str, claims: &Map<String, Value>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({"alg": "HS256", "typ": "JWT"}));
    let body = part(&Value::Object(claims.clone()));
    let signed = format!("{head}.{body}");
    let signature = URL_SAFE_NO_PAD.encode(sign(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn make(generate: &Generate) -> String {
        generate.make("NAME", "other secret", &mut StdRng::seed_from_u64(7))
    }

    #[test]
    fn each_kind_has_its_shape() {
        for seed in 0..50 {
            let mut rng = StdRng::seed_from_u64(seed);
            let password = Generate::Password {
                length: 8,
                symbols: true,
            }
            .make("NAME", "", &mut rng);
            assert_eq!(password.len(), 8);
            for class in [LOWER, UPPER, DIGITS, SYMBOLS] {
                assert!(password.bytes().any(|b| class.contains(&b)), "{password}");
            }
        }
        assert_eq!(make(&Generate::Alnum { length: 20 }).len(), 20);
        assert_eq!(make(&Generate::Hex { bytes: 16 }).len(), 32);
        assert_eq!(
            STANDARD
                .decode(make(&Generate::Base64 { bytes: 33 }))
                .unwrap()
                .len(),
            33
        );
        assert_eq!(
            uuid::Uuid::parse_str(&make(&Generate::Uuid))
                .unwrap()
                .get_version_num(),
            4
        );
        assert!(make(&Generate::Username).starts_with(|c: char| c.is_ascii_lowercase()));
    }

    #[test]
    fn a_derived_secret_depends_on_the_other_one_only() {
        let from = Generate::From {
            of: "X".to_owned(),
            length: 40,
        };
        let one = from.make("A", "secret", &mut StdRng::seed_from_u64(1));
        assert_eq!(one, from.make("A", "secret", &mut StdRng::seed_from_u64(2)));
        assert_ne!(one, from.make("B", "secret", &mut StdRng::seed_from_u64(1)));
        assert_eq!(one.len(), 40);
    }

    #[test]
    fn a_token_is_signed_as_the_standard_says() {
        // Key, claims and signature of a token that was checked with OpenSSL: `openssl dgst -sha256 -hmac`.
        let claims = json!({"role": "anon"});
        let token = jwt("your-256-bit-secret", claims.as_object().unwrap());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(
            signed,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoiYW5vbiJ9"
        );
        assert_eq!(signature, "gvv1ZxGe1J2jh-cRqElHqOfnvTAOG0QW1uPCQ7A7D_s");
    }
}
