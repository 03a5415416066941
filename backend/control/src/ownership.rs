//! Proof that a container is ours.
//!
//! VMIDs are handed out again as soon as they are free, and Proxmox removes failed creates by itself, so a
//! number says nothing about who owns what is behind it. Each container therefore carries its app's id and a
//! nonce in its description, set in the very call that creates it, and nothing is destroyed without them.

use api::AppId;

/// Tag on every container that Proximity made.
pub(crate) const TAG: &str = "proximity";

/// What follows the name in a description.
const SUFFIX: &str = ", managed by Proximity.";

/// The description of an app's container: a line for people, a line for the proof.
pub(crate) fn description(name: &str, app: AppId, nonce: &str) -> String {
    let name: String = name
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(200)
        .collect();
    format!(
        "{name}{SUFFIX} Changes made here by hand may be lost.\n\n{}",
        proof(app, nonce)
    )
}

/// Whether `description` belongs to this very container of this app.
pub(crate) fn is_proven(description: &str, app: AppId, nonce: &str) -> bool {
    !nonce.is_empty()
        && description
            .lines()
            .any(|line| line.trim() == proof(app, nonce))
}

/// What a container says of itself in its description. Anybody who may edit containers can write anything there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Name of the app, as far as it can be read.
    pub name: Option<String>,
    /// The app.
    pub app: AppId,
    /// The proof.
    pub nonce: String,
}

/// Reads a description back. `None` where it carries no proof, or more than one.
pub(crate) fn read(description: &str) -> Option<Claim> {
    let mut proofs = description.lines().filter_map(|line| {
        let (app, nonce) = line.trim().strip_prefix("proximity ")?.split_once(' ')?;
        let is_nonce = nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_nonce.then_some((app.parse().ok()?, nonce.to_owned()))
    });
    let (app, nonce) = proofs.next()?;
    if proofs.next().is_some() {
        return None;
    }
    let name = description
        .lines()
        .next()
        .and_then(|line| line.split_once(SUFFIX))
        .map(|(name, _)| name.trim().to_owned());
    Some(Claim { name, app, nonce })
}

/// The line that proves a container to be this app's.
pub(crate) fn proof(app: AppId, nonce: &str) -> String {
    format!("proximity {app} {nonce}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_app_and_nonce_are_proof() {
        let id = |digit: char| {
            format!("app_{}", digit.to_string().repeat(32))
                .parse()
                .unwrap()
        };
        // A name may hold anything, also a line that looks like a proof.
        let text = description(&format!("x\nproximity {} n2\n", id('1')), id('1'), "n1");
        assert!(is_proven(&text, id('1'), "n1"));
        assert!(!is_proven(&text, id('1'), "n2"));
        assert!(!is_proven(&text, id('2'), "n1"));
        assert!(!is_proven("proximity", id('1'), ""));
        assert!(!is_proven("", id('1'), "n1"));
    }

    #[test]
    fn a_description_is_read_back_and_two_proofs_are_none() {
        let id = format!("app_{}", "1".repeat(32)).parse().unwrap();
        let nonce = "ab".repeat(16);
        let text = description("Bob's notes", id, &nonce);
        let claim = Claim {
            name: Some("Bob's notes".to_owned()),
            app: id,
            nonce: nonce.clone(),
        };
        assert_eq!(read(&format!("{text}\n")), Some(claim));
        assert_eq!(read(&format!("{text}\n{}", proof(id, &nonce))), None);
        assert_eq!(read("proximity app_1 x"), None);
        assert_eq!(read(&proof(id, "short")), None);
        assert_eq!(read(""), None);
    }
}
