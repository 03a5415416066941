//! Downloading a template: task `download`.

use super::{Caller, Worker};
use crate::clock;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::storage::StoredFile;
use crate::model::template;
use crate::params::Params;

impl Cluster {
    /// `POST /nodes/{node}/aplinfo`: the file is there when the task is over; one that is there already is fine.
    pub(crate) fn download(&self, caller: &Caller, params: &Params) -> Result<String, Failure> {
        let (node, storage) = (
            params.node().to_owned(),
            params.required("storage").to_owned(),
        );
        let template = params.required("template").to_owned();
        {
            let model = self.model();
            let path = format!("/storage/{storage}");
            model.check(&caller.identity, &path, "Datastore.AllocateTemplate")?;
            if !model.offers.iter().any(|offer| offer.template == template) {
                return Err(Failure::parameter("template", "no such template"));
            }
            if !model.storages.usable(&node, &storage)?.holds("vztmpl") {
                return Err(Failure::died(format!(
                    "storage '{storage}' does not support templates"
                )));
            }
        }
        let owner = node.clone();
        let work = move |worker: Worker| async move {
            let fetch = fetch(&worker, &owner, &storage, &template);
            worker.interruptible(fetch).await
        };
        Ok(self.spawn_task(caller, &node, "download", "", work))
    }
}

async fn fetch(worker: &Worker, node: &str, storage: &str, template: &str) -> Result<(), String> {
    let url = format!("http://download.proxmox.com/images/system/{template}");
    let path = format!("/var/lib/vz/template/cache/{template}");
    let size = template::size(template);
    worker.log(format!("downloading {url} to {path}"));
    let there = {
        let model = worker.cluster.model();
        let found = model.storages.get(node, storage);
        found.is_some_and(|storage| storage.templates.contains_key(template))
    };
    if there {
        worker.log("OK, got correct file already, no need to download");
        return Ok(());
    }
    worker.log(format!("Length: {size} [application/octet-stream]"));
    // About 8 MB a second, in four steps that the log shows.
    for quarter in 1..=4 {
        worker.pace(size / 8_000 / 4 + 200).await;
        worker.log(format!(
            "{:>6}K ........ ........ {}%",
            size / 1024 * quarter / 4,
            quarter * 25
        ));
        if quarter == 2 {
            worker
                .fault(&format!("download failed: command '/usr/bin/wget --progress=dot:giga -O {path}.tmp_dwnl {url}' failed: exit code 4"))
                .await?;
        }
    }
    worker.log("calculating checksum...OK, checksum verified");
    let mut model = worker.cluster.model();
    let file = StoredFile {
        size,
        created: clock::now(),
    };
    model
        .storages
        .get_mut(node, storage)
        .ok_or_else(|| format!("storage '{storage}' does not exist"))?
        .templates
        .insert(template.to_owned(), file);
    drop(model);
    worker.log(format!("download of '{url}' to '{path}' finished"));
    Ok(())
}
