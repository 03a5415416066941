//! Finding an app by a few letters.

use crate::Manifest;

/// How well an app fits a search; less is better, nothing is no match. Every word must be found somewhere.
pub(crate) fn rank(manifest: &Manifest, query: &str) -> Option<u32> {
    let words = query.to_lowercase();
    let mut total = 0;
    for word in words.split_whitespace() {
        total += word_rank(manifest, word)?;
    }
    Some(total)
}

fn word_rank(manifest: &Manifest, word: &str) -> Option<u32> {
    let name = manifest.name.to_lowercase();
    if name == word || manifest.id == word {
        return Some(0);
    }
    if name.starts_with(word) || manifest.id.starts_with(word) {
        return Some(1);
    }
    let begins = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .any(|w| w.starts_with(word))
    };
    if begins(&name) {
        return Some(2);
    }
    let tags = manifest.tags.iter().map(|t| t.to_lowercase());
    if tags.clone().any(|tag| tag == word) || manifest.category == word {
        return Some(3);
    }
    if name.contains(word) || manifest.id.contains(word) {
        return Some(4);
    }
    let tagline = manifest.tagline.to_lowercase();
    let tags = tags.collect::<Vec<_>>().join(" ");
    if begins(&tagline) || begins(&tags) {
        return Some(5);
    }
    (tagline.contains(word) || tags.contains(word)).then_some(6)
}
