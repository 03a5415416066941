//! What is wrong with parameters, found before they are sent and told all at once.

use std::collections::BTreeMap;

use crate::{Error, Net, Result, validate};

/// Longest `description`, in bytes.
const LONGEST_DESCRIPTION: usize = 8192;

/// Collects what is wrong, by parameter.
#[derive(Default)]
pub(crate) struct Wrong(BTreeMap<String, String>);

impl Wrong {
    pub(crate) fn unless(&mut self, name: &str, right: bool, message: &str) {
        if !right {
            self.0.insert(name.to_owned(), message.to_owned());
        }
    }

    pub(crate) fn hostname(&mut self, hostname: Option<&str>) {
        self.unless(
            "hostname",
            hostname.is_none_or(validate::is_dns_name),
            "not a DNS name: letters, digits and inner hyphens",
        );
    }

    pub(crate) fn cores(&mut self, cores: Option<u32>) {
        self.unless(
            "cores",
            cores.is_none_or(|cores| (1..=8192).contains(&cores)),
            "not 1 to 8192",
        );
    }

    pub(crate) fn memory(&mut self, memory: Option<u64>) {
        self.unless(
            "memory",
            memory.is_none_or(|memory| memory >= 16),
            "less than 16 MiB",
        );
    }

    pub(crate) fn net(&mut self, index: usize, net: &Net) {
        if let Err(message) = net.check() {
            self.0.insert(format!("net{index}"), message);
        }
    }

    pub(crate) fn domains(&mut self, domains: &[String]) {
        self.unless(
            "searchdomain",
            domains.iter().all(|domain| validate::is_dns_name(domain)),
            "not DNS names",
        );
    }

    pub(crate) fn tags(&mut self, tags: &[String]) {
        self.unless(
            "tags",
            tags.iter().all(|tag| validate::is_tag(tag)),
            "a tag has lower-case letters, digits and _ - + . only",
        );
    }

    pub(crate) fn description(&mut self, description: Option<&str>) {
        let fits = |text: &str| text.len() <= LONGEST_DESCRIPTION && !text.contains('\0');
        self.unless(
            "description",
            description.is_none_or(fits),
            "longer than 8192 bytes",
        );
    }

    pub(crate) fn into_result(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid {
                message: "Parameter verification failed.".to_owned(),
                errors: self.0,
            })
        }
    }
}
