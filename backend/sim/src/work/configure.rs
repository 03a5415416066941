//! Changing a container's configuration, and who may set which option.

use std::collections::BTreeMap;

use super::Caller;
use super::value::normalise;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::Model;
use crate::model::container::Container;
use crate::model::identity::Identity;
use crate::params::Params;
use crate::property;
use crate::schema::container::CHANGE;
use crate::schema::format;

impl Cluster {
    /// `PUT …/config`: done when it returns.
    pub(crate) async fn configure(&self, caller: &Caller, params: &Params) -> Result<(), Failure> {
        let (node, vmid) = (params.node().to_owned(), params.vmid());
        let spec = {
            let mut model = self.model();
            let changes = check(&model, caller, params)?;
            let container = model.container_mut(&node, vmid)?;
            for (key, value) in changes {
                if key == "lock" {
                    container.lock = value;
                } else {
                    container.set(&key, value);
                }
            }
            let mut future = container.clone();
            future.apply_pending();
            (!container.foreign).then(|| future.spec())
        };
        match spec {
            Some(spec) => self
                .guests()
                .reconfigure(&spec)
                .await
                .map_err(Failure::died),
            None => Ok(()),
        }
    }
}

type Changes = Vec<(String, Option<String>)>;

fn check(model: &Model, caller: &Caller, params: &Params) -> Result<Changes, Failure> {
    let (node, vmid) = (params.node(), params.vmid());
    model.check_quorum()?;
    let container = model.container(node, vmid)?;
    let given: BTreeMap<String, String> = params
        .0
        .iter()
        .filter(|(name, _)| !CHANGE.iter().any(|parameter| parameter.name == *name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let deleted: Vec<String> = params
        .text("delete")
        .map(|list| format::items(list).map(str::to_owned).collect())
        .unwrap_or_default();
    if given.is_empty() && deleted.is_empty() && params.text("revert").is_none() {
        return Err(Failure::died("no options specified"));
    }
    let mut touched = given.clone();
    touched.extend(deleted.iter().map(|name| (name.clone(), String::new())));
    check_options(
        model,
        &caller.identity,
        vmid,
        container.pool.as_deref(),
        &touched,
        Some(container),
    )?;
    if let Some(digest) = params.text("digest")
        && digest != container.digest()
    {
        return Err(Failure::died(
            "detected modified configuration - file changed by other user? Try again.",
        ));
    }
    container.check_lock().map_err(Failure::died)?;
    changes(container, given, deleted)
}

fn changes(
    container: &Container,
    given: BTreeMap<String, String>,
    deleted: Vec<String>,
) -> Result<Changes, Failure> {
    let mut changes = Changes::new();
    for name in deleted {
        if ["unprivileged", "rootfs", "arch", "ostype"].contains(&name.as_str()) {
            return Err(Failure::died(format!(
                "unable to delete required option '{name}'"
            )));
        }
        changes.push((name, None));
    }
    for (name, value) in given {
        if ["unprivileged", "template"].contains(&name.as_str()) {
            return Err(Failure::died(format!(
                "unable to modify read-only option: '{name}'"
            )));
        }
        let is_volume = name == "rootfs" || name.starts_with("mp");
        let volume = property::parse(&value, Some("volume"))
            .ok()
            .and_then(|found| found.get("volume").cloned());
        let kept = container
            .get(&name)
            .is_some_and(|old| volume.is_some_and(|volume| old.starts_with(&volume)));
        if is_volume && !kept {
            return Err(Failure::died(format!(
                "unable to use '{value}': the simulated cluster makes volumes with the container only"
            )));
        }
        changes.push((name.clone(), Some(normalise(&name, &value))));
    }
    Ok(changes)
}

/// Refuses options that this caller may not set; `old` is the container that is changed, if there is one.
pub(super) fn check_options(
    model: &Model,
    who: &Identity,
    vmid: u32,
    pool: Option<&str>,
    options: &BTreeMap<String, String>,
    old: Option<&Container>,
) -> Result<(), Failure> {
    for (name, value) in options {
        let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let privilege = match stem {
            "features" => {
                check_features(model, who, vmid, pool, value, options, old)?;
                continue;
            }
            // Not a right but a fact of the container; its own check is at the create call.
            "unprivileged" => continue,
            "dev" => root_only(who, "configuring device passthrough")?,
            "hookscript" => root_only(who, "changing the hookscript")?,
            "cores" | "cpulimit" | "cpuunits" => "VM.Config.CPU",
            "memory" | "swap" => "VM.Config.Memory",
            "rootfs" | "mp" | "unused" => "VM.Config.Disk",
            "net" => {
                check_bridge(model, who, value)?;
                "VM.Config.Network"
            }
            "nameserver" | "searchdomain" | "hostname" => "VM.Config.Network",
            _ => "VM.Config.Options",
        };
        model.check_guest(who, vmid, pool, privilege)?;
    }
    Ok(())
}

fn root_only(who: &Identity, what: &str) -> Result<&'static str, Failure> {
    if who.is_root() {
        Ok("VM.Config.Options")
    } else {
        Err(Failure::forbidden(format!(
            "{what} is only allowed for root@pam"
        )))
    }
}

fn check_bridge(model: &Model, who: &Identity, net: &str) -> Result<(), Failure> {
    let net = property::parse(net, None).unwrap_or_default();
    let Some(bridge) = net.get("bridge") else {
        return Ok(());
    };
    let path = match net.get("tag") {
        Some(tag) => format!("/sdn/zones/localnetwork/{bridge}/{tag}"),
        None => format!("/sdn/zones/localnetwork/{bridge}"),
    };
    model.check(who, &path, "SDN.Use")
}

/// `root@pam` itself may set any feature; everybody else only `nesting`, only alone, only unprivileged.
fn check_features(
    model: &Model,
    who: &Identity,
    vmid: u32,
    pool: Option<&str>,
    value: &str,
    options: &BTreeMap<String, String>,
    old: Option<&Container>,
) -> Result<(), Failure> {
    if who.is_root() {
        return Ok(());
    }
    let unprivileged = match old {
        Some(container) => container.flag("unprivileged"),
        None => options
            .get("unprivileged")
            .is_some_and(|value| value == "1"),
    };
    if !unprivileged {
        return Err(Failure::forbidden(
            "changing feature flags for privileged container is only allowed for root@pam",
        ));
    }
    let new = property::parse(value, None).unwrap_or_default();
    let before = old
        .and_then(|container| container.get("features"))
        .and_then(|features| property::parse(features, None).ok());
    let (nesting, others) = match before {
        Some(before) if !value.is_empty() => {
            let differs = |key: &String| before.get(key) != new.get(key);
            let others = before.keys().chain(new.keys());
            let mut others = others.filter(|key| *key != "nesting");
            (differs(&"nesting".to_owned()), others.any(differs))
        }
        _ => {
            let alone = new.len() == 1 && property::is_set(value, "nesting");
            (alone, !alone)
        }
    };
    if others {
        return Err(Failure::forbidden(
            "changing feature flags (except nesting) is only allowed for root@pam",
        ));
    }
    if nesting {
        model.check_guest(who, vmid, pool, "VM.Allocate")?;
    }
    Ok(())
}
