//! Reading a mapping key by key: wrong types and unknown keys become findings with their place.

use std::time::Duration;

use super::Node;
use crate::{
    finding::{At, Findings},
    text, unit,
};

struct Entry<'n> {
    /// The thing that the mapping describes, as in "A parameter".
    what: &'static str,
    key: &'n str,
    at: &'n At,
    value: &'n Node,
    used: bool,
}

/// A mapping that is being read. [`Fields::finish`] names what nobody asked for.
pub(crate) struct Fields<'n> {
    at: &'n At,
    entries: Vec<Entry<'n>>,
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// `what` is the thing that the mapping describes, as in "a parameter".
    pub(crate) fn of(node: &'n Node, what: &'static str, findings: &mut Findings) -> Option<Self> {
        let Some(map) = node.map() else {
            findings.error(
                &node.at,
                format!("{what} must be a mapping, and this is {}.", node.describe()),
            );
            return None;
        };
        Some(Self {
            at: &node.at,
            entries: map
                .entries()
                .map(|(key, at, value)| Entry {
                    what,
                    key,
                    at,
                    value,
                    used: false,
                })
                .collect(),
            asked: Vec::new(),
        })
    }

    /// Where the mapping stands.
    pub(crate) fn at(&self) -> &'n At {
        self.at
    }

    /// Adds the entries of another mapping whose keys are not here.
    pub(crate) fn extend(&mut self, other: Fields<'n>) {
        for entry in other.entries {
            if !self.entries.iter().any(|own| own.key == entry.key) {
                self.entries.push(entry);
            }
        }
    }

    /// The value of a key; nothing where it is absent or null.
    pub(crate) fn node(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        let entry = self.entries.iter_mut().find(|entry| entry.key == key)?;
        entry.used = true;
        Some(entry.value).filter(|n| !n.is_null())
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        findings: &mut Findings,
        read: impl Fn(&Node) -> Option<T>,
    ) -> Option<T> {
        let node = self.node(key)?;
        let value = read(node);
        if value.is_none() {
            findings.error(
                &node.at,
                format!(
                    "`{key}` must be {expected}, and this is {}.",
                    node.describe()
                ),
            );
        }
        value
    }

    pub(crate) fn text(&mut self, key: &'static str, findings: &mut Findings) -> Option<String> {
        self.typed(key, "text", findings, |n| n.text().map(str::to_owned))
    }

    pub(crate) fn flag(&mut self, key: &'static str, findings: &mut Findings) -> Option<bool> {
        self.typed(key, "true or false", findings, Node::bool)
    }

    pub(crate) fn number(&mut self, key: &'static str, findings: &mut Findings) -> Option<u64> {
        self.typed(key, "a whole number", findings, |n| {
            n.int().and_then(|i| u64::try_from(i).ok())
        })
    }

    /// A size in bytes.
    pub(crate) fn size(&mut self, key: &'static str, findings: &mut Findings) -> Option<u64> {
        self.unit(key, findings, unit::size)
    }

    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<Duration> {
        self.unit(key, findings, unit::duration)
    }

    fn unit<T>(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let node = self.node(key)?;
        let result = node
            .text()
            .ok_or_else(|| format!("this is {}", node.describe()))
            .and_then(parse);
        result
            .map_err(|message| findings.error(&node.at, format!("`{key}`: {message}.")))
            .ok()
    }

    /// A list of texts; one text stands for a list of one.
    pub(crate) fn texts(&mut self, key: &'static str, findings: &mut Findings) -> Vec<String> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        if let Some(text) = node.text() {
            return vec![text.to_owned()];
        }
        self.items(key, node, findings)
            .iter()
            .filter_map(|item| {
                let text = item.text();
                if text.is_none() {
                    findings.error(
                        &item.at,
                        format!("`{key}` holds texts, and this is {}.", item.describe()),
                    );
                }
                text.map(str::to_owned)
            })
            .collect()
    }

    /// A list of anything.
    pub(crate) fn list(&mut self, key: &'static str, findings: &mut Findings) -> &'n [Node] {
        match self.node(key) {
            Some(node) => self.items(key, node, findings),
            None => &[],
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "a method reads better beside its callers"
    )]
    fn items(&self, key: &str, node: &'n Node, findings: &mut Findings) -> &'n [Node] {
        node.list().unwrap_or_else(|| {
            findings.error(
                &node.at,
                format!("`{key}` must be a list, and this is {}.", node.describe()),
            );
            &[]
        })
    }

    /// A mapping of texts.
    pub(crate) fn pairs(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Vec<(String, String)> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        let Some(map) = node.map() else {
            findings.error(
                &node.at,
                format!(
                    "`{key}` must be a mapping, and this is {}.",
                    node.describe()
                ),
            );
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (name, at, value) in map.entries() {
            match value.text() {
                Some(text) => pairs.push((name.to_owned(), text.to_owned())),
                None => findings.error(
                    at,
                    format!("`{name}` must be text, and this is {}.", value.describe()),
                ),
            }
        }
        pairs
    }

    /// Names the keys that nobody asked for, with the nearest one that somebody did.
    pub(crate) fn finish(self, findings: &mut Findings) {
        let unknown = |entry: &&Entry<'_>| !entry.used && !entry.key.starts_with("x-");
        for entry in self.entries.iter().filter(unknown) {
            let hint = text::nearest(entry.key, &self.asked)
                .map(|near| format!(" Did you mean `{near}`?"))
                .unwrap_or_default();
            let (what, key) = (entry.what, text::excerpt(entry.key));
            findings.error(entry.at, format!("{what} has no key `{key}`.{hint}"));
        }
    }
}
