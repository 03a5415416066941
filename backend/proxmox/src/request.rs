//! One question: an endpoint, the variables of its path and its parameters.

use crate::endpoint::Endpoint;
use crate::{NodeName, StorageName, Upid, Vmid, percent};

/// A request as it will be sent; built by one function per call, which the table of shapes uses too.
#[derive(Clone)]
pub(crate) struct Request {
    endpoint: Endpoint,
    variables: Vec<(&'static str, String)>,
    parameters: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            variables: Vec::new(),
            parameters: Vec::new(),
        }
    }

    pub(crate) fn on(endpoint: Endpoint, node: &NodeName) -> Self {
        Self::new(endpoint).variable("node", node.as_str())
    }

    pub(crate) fn guest(endpoint: Endpoint, node: &NodeName, vmid: Vmid) -> Self {
        Self::on(endpoint, node).variable("vmid", &vmid.to_string())
    }

    pub(crate) fn task(endpoint: Endpoint, upid: &Upid) -> Self {
        Self::on(endpoint, upid.node()).variable("upid", upid.as_str())
    }

    pub(crate) fn storage(endpoint: Endpoint, node: &NodeName, storage: &StorageName) -> Self {
        Self::on(endpoint, node).variable("storage", storage.as_str())
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers pass numbers, flags and references alike"
    )]
    pub(crate) fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.parameters.push((name.into(), value.to_string()));
        self
    }

    pub(crate) fn with_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A boolean, said only where it is true: every boolean sent this way is false by default on all versions.
    pub(crate) fn with_flag(self, name: &str, value: bool) -> Self {
        if value { self.with(name, 1) } else { self }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    pub(crate) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    pub(crate) fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// The node that the host asked has to forward to.
    pub(crate) fn node(&self) -> Option<&str> {
        self.variables
            .iter()
            .find(|(name, _)| *name == "node")
            .map(|(_, value)| value.as_str())
    }

    /// Below `/api2/json`, encoded.
    pub(crate) fn path(&self) -> String {
        let part = |part: &'static str| match part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        {
            None => part.to_owned(),
            Some(name) => {
                let (_, value) = self
                    .variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .expect("a request fills its path");
                percent::encode(value)
            }
        };
        self.endpoint
            .path()
            .split('/')
            .map(part)
            .collect::<Vec<_>>()
            .join("/")
    }

    /// Method and path, for logs and errors. Parameters are left out: they may hold secrets.
    pub(crate) fn call(&self) -> String {
        format!("{} {}", self.endpoint.method(), self.path())
    }
}

/// Items joined as a list parameter, where there are any.
pub(crate) fn joined<T: ToString>(items: &[T], separator: &str) -> Option<String> {
    (!items.is_empty()).then(|| {
        items
            .iter()
            .map(T::to_string)
            .collect::<Vec<_>>()
            .join(separator)
    })
}
