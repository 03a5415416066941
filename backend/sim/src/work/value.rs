//! Values of options as the configuration file keeps them: volumes that were allocated, networks that have
//! a hardware address, tags in order.

use indexmap::IndexMap;

use super::Caller;
use crate::failure::Failure;
use crate::model::Model;
use crate::model::container::random_hwaddr;
use crate::property;
use crate::schema::format;

/// Turns `STORAGE:SIZE` into a volume of that storage, or refuses.
pub(super) fn allocate(
    model: &Model,
    caller: &Caller,
    node: &str,
    vmid: u32,
    (key, value): (&str, &str),
    (default_storage, number): (&str, usize),
) -> Result<String, Failure> {
    let mut found = property::parse(value, Some("volume")).map_err(Failure::died)?;
    let volume = found.get("volume").cloned().unwrap_or_default();
    if volume.starts_with('/') {
        return if caller.identity.is_root() {
            Ok(value.to_owned())
        } else {
            Err(Failure::forbidden(
                "mount point type bind is only allowed for root@pam",
            ))
        };
    }
    let (storage, size) = match volume.split_once(':') {
        Some((storage, size)) => (storage.to_owned(), size.to_owned()),
        None => (default_storage.to_owned(), volume.clone()),
    };
    let gib: f64 = size
        .parse()
        .ok()
        .filter(|gib: &f64| gib.is_finite() && *gib >= 0.0)
        .ok_or_else(|| Failure::died(format!("unable to use '{volume}' as volume for '{key}'")))?;
    let target = model.storages.usable(node, &storage)?;
    model.check(
        &caller.identity,
        &format!("/storage/{storage}"),
        "Datastore.AllocateSpace",
    )?;
    if !target.holds("rootdir") {
        return Err(Failure::parameter(
            "storage",
            format!("storage '{storage}' does not support container directories"),
        ));
    }
    found.insert("volume".to_owned(), target.volume(vmid, number));
    found.insert("size".to_owned(), size_text(gib));
    Ok(property::print(&found, "volume", true))
}

/// A size in GiB as the configuration writes it.
fn size_text(gib: f64) -> String {
    if gib.fract() == 0.0 {
        format!("{gib:.0}G")
    } else {
        format!("{:.0}M", (gib * 1024.0).ceil())
    }
}

/// An option's value as the configuration file keeps it.
pub(super) fn normalise(key: &str, value: &str) -> String {
    if key == "tags" {
        let mut tags: Vec<String> = format::items(value).map(str::to_lowercase).collect();
        tags.sort();
        tags.dedup();
        return tags.join(";");
    }
    let is_net = key
        .strip_prefix("net")
        .is_some_and(|n| n.parse::<u8>().is_ok());
    let Some(mut net) = is_net.then(|| property::parse(value, None).ok()).flatten() else {
        return value.to_owned();
    };
    complete_net(&mut net);
    property::print(&net, "name", false)
}

fn complete_net(net: &mut IndexMap<String, String>) {
    net.entry("hwaddr".to_owned()).or_insert_with(random_hwaddr);
    net.entry("type".to_owned())
        .or_insert_with(|| "veth".to_owned());
    if let Some(hwaddr) = net.get_mut("hwaddr") {
        hwaddr.make_ascii_uppercase();
    }
}
