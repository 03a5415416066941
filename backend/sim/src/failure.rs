//! A call that Proxmox refuses: HTTP status, text and the parameters at fault.
//!
//! The texts are Proxmox's own, because clients have nothing else to tell one refusal from another.

use std::collections::BTreeMap;

/// Why a call was refused, as the API words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// HTTP status; Proxmox uses 500 for nearly everything, and pseudo codes from 595 on.
    pub(crate) status: u16,
    /// The sentence; becomes the reason phrase and, on newer hosts, `message` in the body.
    pub(crate) text: String,
    /// Parameters at fault with what is wrong with each; only with status 400.
    pub(crate) errors: BTreeMap<String, String>,
    /// Whether the answer has a JSON body; refusals by the proxy itself have none.
    pub(crate) has_body: bool,
}

impl Failure {
    fn new(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            errors: BTreeMap::new(),
            has_body: true,
        }
    }

    /// 500, what a Perl `die` turns into.
    pub(crate) fn died(text: impl Into<String>) -> Self {
        Self::new(500, text)
    }

    /// 400 with one parameter at fault.
    pub(crate) fn parameter(name: &str, what: impl Into<String>) -> Self {
        Self::parameters(BTreeMap::from([(name.to_owned(), what.into())]))
    }

    /// 400 with several parameters at fault.
    pub(crate) fn parameters(errors: BTreeMap<String, String>) -> Self {
        Self {
            errors,
            ..Self::new(400, "Parameter verification failed.")
        }
    }

    /// 403; `what` is a path with privileges or a sentence.
    pub(crate) fn forbidden(what: impl std::fmt::Display) -> Self {
        Self::new(403, format!("Permission check failed ({what})"))
    }

    /// 401 by the login call, which answers with a body.
    pub(crate) fn wrong_login() -> Self {
        Self::new(401, "authentication failure")
    }

    /// 401 by the proxy: no body, only a reason phrase.
    pub(crate) fn unauthenticated(text: impl Into<String>) -> Self {
        Self::proxy(401, text)
    }

    /// An answer of the proxy itself: no body, only a reason phrase.
    pub(crate) fn proxy(status: u16, text: impl Into<String>) -> Self {
        Self {
            has_body: false,
            ..Self::new(status, text)
        }
    }

    /// 501 for a path or method that does not exist, or a body where none may be.
    pub(crate) fn not_implemented(text: impl Into<String>) -> Self {
        Self::new(501, text)
    }
}

impl std::fmt::Display for Failure {
    /// As the command line tools print it: the text, then one line a parameter.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.errors.is_empty() {
            return f.write_str(&self.text);
        }
        write!(f, "{} {}", self.status, self.text)?;
        for (name, what) in &self.errors {
            write!(f, "\n{name}: {what}")?;
        }
        Ok(())
    }
}
