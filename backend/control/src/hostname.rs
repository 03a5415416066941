//! Host names made from the names that people type.
//!
//! A person may call an app anything. Its container, its folder and its compose project need a name that
//! DNS, a path and Docker accept: lower-case letters, digits and hyphens, at most 63.

/// Longest label of a host name (RFC 1035).
const LONGEST: usize = 63;

/// The host name for `name`; `fallback` (a catalog id) where nothing of the name can be kept.
pub(crate) fn of(name: &str, fallback: &str) -> String {
    let mut label = String::new();
    for character in name.chars() {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_alphanumeric() {
            label.push(character);
        } else if !label.is_empty() && !label.ends_with('-') {
            label.push('-');
        }
        if label.len() == LONGEST {
            break;
        }
    }
    let label = label.trim_end_matches('-');
    // Compose names projects after it, and those begin with a letter or a digit; so does this.
    if label.is_empty() {
        fallback.to_owned()
    } else {
        label.to_owned()
    }
}

/// `name` with a number behind it, still a host name: what is tried when the plain one is taken.
pub(crate) fn numbered(name: &str, number: u32) -> String {
    let suffix = format!("-{number}");
    let keep = LONGEST - suffix.len();
    let stem: String = name.chars().take(keep).collect();
    format!("{}{suffix}", stem.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_keeps_what_it_can() {
        assert_eq!(of("uptime-kuma", "x"), "uptime-kuma");
        assert_eq!(
            of("Bob's \"Café\" $HOME `id`\nline", "x"),
            "bob-s-caf-home-id-line"
        );
        assert_eq!(of("--a--", "x"), "a");
        assert_eq!(of("日本", "memos"), "memos");
        assert_eq!(of(&"ab-".repeat(40), "x").len(), 62);
    }

    #[test]
    fn a_number_fits_behind_the_longest_name() {
        assert_eq!(numbered("memos", 2), "memos-2");
        assert_eq!(numbered(&"a".repeat(63), 12).len(), 63);
    }
}
