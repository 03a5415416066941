//! Proof that a container is ours.
//!
//! VMIDs are handed out again as soon as they are free, and Proxmox removes failed creates by itself, so a
//! number says nothing about who owns what is behind it. Each container therefore carries its app's id and a
//! nonce in its description, set in the very call that creates it, and nothing is destroyed without them.

use api::AppId;

/// Tag on every container that Proximity made.
pub(crate) const TAG: &str = "proximity";

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
        "{name}, managed by Proximity. Changes made here by hand may be lost.\n\n{}",
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

fn proof(app: AppId, nonce: &str) -> String {
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
}
