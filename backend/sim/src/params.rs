//! The parameters of one call, once they have been checked against its schema.

use std::collections::BTreeMap;

use crate::property;

/// Checked parameters by name. Booleans are `0` or `1`, everything else is the text as given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub(crate) BTreeMap<String, String>);

impl Params {
    /// A parameter as text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that the schema requires.
    pub(crate) fn required(&self, name: &str) -> &str {
        self.text(name)
            .expect("the schema of the call requires this parameter")
    }

    /// A boolean parameter; absent is `false`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name).and_then(property::truth).unwrap_or(false)
    }

    /// An integer parameter.
    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// The node of the call's path.
    pub(crate) fn node(&self) -> &str {
        self.required("node")
    }

    /// The guest's number.
    pub(crate) fn vmid(&self) -> u32 {
        self.required("vmid")
            .parse()
            .expect("the schema of the call checks the number")
    }
}
