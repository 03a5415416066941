//! Paths inside a project: they become files on the container, so they may not lead out of their folder.

/// Names that Proximity writes itself, and those that compose would read in their place.
const RESERVED: &[&str] = &[
    ".env",
    "compose.yaml",
    "compose.yml",
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
];

/// Checks a relative path of plain names; the error completes "the path …".
pub(crate) fn check(path: &str) -> Result<(), String> {
    let shown = crate::text::excerpt(path);
    if path.is_empty() || path.len() > 512 {
        return Err(format!("`{shown}` must have 1 to 512 characters"));
    }
    if path.starts_with(['/', '~']) || path.contains('\\') {
        return Err(format!(
            "`{shown}` must be relative, with `/` between names"
        ));
    }
    if path.contains(|c: char| c.is_control()) {
        return Err(format!("`{shown}` holds a control character"));
    }
    let bad = |part: &str| part.is_empty() || part == "." || part == ".." || part.len() > 255;
    if path.split('/').any(bad) {
        return Err(format!("`{shown}` must not hold empty names, `.` or `..`"));
    }
    Ok(())
}

/// [`check`], and not one of the files that Proximity writes itself.
pub(crate) fn check_free(path: &str) -> Result<(), String> {
    check(path)?;
    if RESERVED.contains(&path) {
        return Err(format!("`{path}` is written by Proximity itself"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for good in [
            "a",
            "files/uploads.ini",
            "a/b/c.conf",
            ".hidden",
            "..a",
            "-x",
        ] {
            assert!(check_free(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "../a",
            "a/../b",
            "a//b",
            "./a",
            "a/",
            "~/.ssh",
            "a\\b",
            "a\nb",
            "a\0b",
            ".env",
            "compose.yaml",
            "docker-compose.yml",
        ] {
            assert!(check_free(bad).is_err(), "{bad:?}");
        }
    }
}
