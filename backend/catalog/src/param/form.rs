//! The forms that texts of some types have.

/// An absolute URL with a host.
pub(super) fn is_url(text: &str) -> bool {
    text == text.trim()
        && !text.contains(char::is_control)
        && url::Url::parse(text).is_ok_and(|url| url.has_host())
}

/// `local@host`, without quoted local parts.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c);
    !local.is_empty() && local.len() <= 64 && !local.contains(odd) && is_hostname(domain)
}

/// A host name as RFC 1123, section 2.1, has it.
pub(super) fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// An absolute path that does not climb.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.contains(char::is_control)
        && text.split('/').all(|part| part != "..")
}

/// A name of the form that the time zone database uses.
pub(super) fn is_timezone(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
    };
    text.len() <= 64 && text.split('/').count() <= 3 && text.split('/').all(part)
}
