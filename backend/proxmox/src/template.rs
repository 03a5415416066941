//! Container templates: what a storage has, what could be had, and getting one.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::request::Request;
use crate::{Client, Error, NodeName, Result, StorageName, Upid, validate};

/// A template on a storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateFile {
    /// `storage:vztmpl/file`, as a create call takes it.
    pub volid: String,
    /// In bytes.
    pub size: u64,
}

impl TemplateFile {
    /// The name of the file alone.
    pub fn file_name(&self) -> &str {
        self.volid
            .rsplit_once('/')
            .map_or(self.volid.as_str(), |(_, file)| file)
    }
}

/// A template that the node can download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateOffer {
    /// Its file name, such as `alpine-3.23-default_20260116_amd64.tar.xz`.
    pub template: String,
    /// Such as `alpine-3.23-default`.
    pub package: String,
    /// Such as `20260116`.
    pub version: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `alpine-3.23`.
    pub os: String,
    /// `system`, `turnkeylinux`, …
    pub section: String,
}

pub(crate) fn templates(node: &NodeName, storage: &StorageName) -> Request {
    Request::storage(Endpoint::StorageContent, node, storage).with("content", "vztmpl")
}

pub(crate) fn template_index(node: &NodeName) -> Request {
    Request::on(Endpoint::TemplateIndex, node)
}

pub(crate) fn download_template(
    node: &NodeName,
    storage: &StorageName,
    template: &str,
) -> Result<Request> {
    if !validate::is_template_file(template) {
        return Err(Error::parameter(
            "template",
            "not the file name of a template",
        ));
    }
    Ok(Request::on(Endpoint::DownloadTemplate, node)
        .with("storage", storage)
        .with("template", template))
}

fn file(row: &Fields<'_>) -> Result<TemplateFile> {
    Ok(TemplateFile {
        volid: row.required("volid", row.text("volid")?)?,
        size: row.integer("size")?.unwrap_or(0),
    })
}

fn offer(row: &Fields<'_>) -> Result<TemplateOffer> {
    let text = |name: &str| row.text(name).map(Option::unwrap_or_default);
    Ok(TemplateOffer {
        template: row.required("template", row.text("template")?)?,
        package: text("package")?,
        version: text("version")?,
        architecture: text("architecture")?,
        os: text("os")?,
        section: text("section")?,
    })
}

impl Client {
    /// The templates that a storage has.
    pub async fn templates(
        &self,
        node: &NodeName,
        storage: &StorageName,
    ) -> Result<Vec<TemplateFile>> {
        self.call(&templates(node, storage)).await?.collect(file)
    }

    /// The templates that a node knows to download. Its list is refreshed by the node once a day; no call does that.
    pub async fn template_index(&self, node: &NodeName) -> Result<Vec<TemplateOffer>> {
        self.call(&template_index(node)).await?.collect(offer)
    }

    /// Downloads a template of the index. Succeeds at once when the storage has it already.
    pub async fn download_template(
        &self,
        node: &NodeName,
        storage: &StorageName,
        template: &str,
    ) -> Result<Upid> {
        self.start(&download_template(node, storage, template)?)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_not_a_template() {
        let (node, storage) = ("pve".parse().unwrap(), "local".parse().unwrap());
        assert!(
            download_template(&node, &storage, "../x").is_err()
                && download_template(&node, &storage, "").is_err()
        );
    }
}
