//! The shape of a saga without its behaviour: what a stored journal is read against.

use std::fmt;

use crate::Saga;

/// Names and order of a saga's steps and where its pivot is. A stored format: running operations
/// were journalled under it, so each saga has a snapshot test of its plan, and a changed plan is a
/// new [`Saga::KIND`] or a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// [`Saga::KIND`].
    pub kind: &'static str,
    /// Names of the steps in their order, each once.
    pub names: Vec<&'static str>,
    /// Index of the step after which there is no way back.
    pub pivot: Option<usize>,
}

/// The plan of `S`.
///
/// Panics when two steps share a name; the saga's snapshot test meets that before anybody else.
pub fn plan<S: Saga>() -> Plan {
    let steps = S::steps();
    let names: Vec<_> = steps.iter().map(|step| step.name()).collect();
    for (index, name) in names.iter().enumerate() {
        assert!(
            !names[..index].contains(name),
            "saga `{}` has two steps named `{name}`",
            S::KIND
        );
    }
    Plan {
        kind: S::KIND,
        names,
        pivot: steps.iter().position(|step| step.pivot()),
    }
}

impl Plan {
    /// Whether the pivot has finished when `next` is the first step that has not.
    pub(crate) fn is_past_pivot(&self, next: usize) -> bool {
        self.pivot.is_some_and(|pivot| next > pivot)
    }
}

/// `kind: first · second(pivot) · third`
impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.kind)?;
        for (index, name) in self.names.iter().enumerate() {
            let dot = if index == 0 { "" } else { " ·" };
            let pivot = if self.pivot == Some(index) {
                "(pivot)"
            } else {
                ""
            };
            write!(out, "{dot} {name}{pivot}")?;
        }
        Ok(())
    }
}
