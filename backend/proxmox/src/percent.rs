//! Percent-encoding, stricter than any of the places that need it.
//!
//! Proxmox splits a form body at every `=`, `&` and `;`, decodes `+` as a space in bodies but not in cookies or paths, so
//! everything except unreserved characters is encoded, everywhere alike.

use std::fmt::Write as _;

/// Encodes all but RFC 3986 unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    encode_except(text, b"")
}

/// As [`encode`], leaving the bytes of `keep` as they are.
pub(crate) fn encode_except(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

/// `name=value&…`, as in a query string or an `application/x-www-form-urlencoded` body.
pub(crate) fn form(parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_the_server_splits_at_survives() {
        let body = form(&[("net0".to_owned(), "name=eth0,ip=dhcp; a+b &ü".to_owned())]);
        assert_eq!(body, "net0=name%3Deth0%2Cip%3Ddhcp%3B%20a%2Bb%20%26%C3%BC");
    }

    #[test]
    fn kept_bytes_stay() {
        assert_eq!(encode_except("root@pam!a=b%", b"@!="), "root@pam!a=b%25");
    }
}
