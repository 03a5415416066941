//! Taking an app back that only its container remembers: after a lost database, or a backup that is too old.
//!
//! A container says what it is in its description and its tags, and anybody who may edit containers can write
//! there. So adoption is a person's explicit act, everything that is read is checked, and a proof that belongs
//! to an app that is here already is refused. What is inside the container is read by
//! [`ReadProject`](crate::steps::ReadProject).

use std::{collections::BTreeMap, net::IpAddr};

use api::{Adopt, AdoptionPlan, Deployed, Network, OperationKind, Resources};
use catalog::{Answers, Bundle};
use proxmox::{ContainerConfig, GuestKind, GuestSummary, Ipv4, Net, Power, Vmid};
use serde_json::Map;
use store::{Adoption, Deployment, Hidden, NewApp, NewRelease, Reserved};

use crate::{
    Asked, Control, Error,
    apps::key,
    explain,
    operations::{Size, State},
    ownership::{self, Claim},
    planning, project,
};

/// A container that could be adopted, as its configuration tells.
struct Candidate {
    claim: Claim,
    vmid: Vmid,
    guest: GuestSummary,
    name: String,
    hostname: String,
    catalog_id: String,
    size: Size,
    network: Network,
    storage: Option<String>,
}

impl Control {
    /// What adopting a container would bring back. Nothing is done.
    pub async fn adoption_plan(&self, vmid: u32, request: Adopt) -> Result<AdoptionPlan, Error> {
        let candidate = self.candidate(vmid, &request).await?;
        let Size {
            cores,
            memory,
            swap,
            disk,
        } = candidate.size;
        Ok(AdoptionPlan {
            app: candidate.claim.app,
            in_catalog: self.manifest(&candidate.catalog_id).is_ok(),
            created_at: candidate.claim.app.made_at(),
            vmid,
            node: candidate.guest.node.to_string(),
            running: candidate.guest.status == Power::Running,
            name: candidate.name,
            hostname: candidate.hostname,
            catalog_id: candidate.catalog_id,
            resources: Resources {
                cores: Some(cores),
                memory: Some(memory),
                swap: Some(swap),
                disk: Some(disk),
            },
            steps: planning::steps(OperationKind::Adopt, &BTreeMap::new()),
        })
    }

    /// Writes an adoption down; a worker carries it out.
    pub async fn adopt(&self, asked: &Asked, vmid: u32, request: Adopt) -> Result<Deployed, Error> {
        let key = key(asked, "adopt", &(vmid, &request));
        if let Some(key) = &key
            && let Some(begun) = self
                .site
                .store
                .operations()
                .replay(key)
                .await
                .map_err(crate::apps::reused)?
        {
            return self.deployed(begun).await;
        }
        let candidate = self.candidate(vmid, &request).await?;
        let adoption = self.adoption(asked, &candidate, key);
        match self.site.store.operations().adopt(adoption).await {
            Ok(begun) => self.deployed(begun).await,
            Err(store::Error::NameTaken { name }) => Err(Error::NameTaken { name }),
            Err(store::Error::VmidTaken { .. }) => Err(Error::Conflict {
                code: "number_held",
                message: format!(
                    "Number {vmid} belongs to another app here, whose container it is not. Delete that app first; \
                     this container is left alone by that."
                ),
            }),
            Err(store::Error::Conflict(_)) => Err(known(vmid, &candidate.name)),
            Err(error) => Err(crate::apps::reused(error)),
        }
    }

    /// Looks at a container and refuses whatever is not plainly an app of Proximity that is missing here.
    async fn candidate(&self, vmid: u32, request: &Adopt) -> Result<Candidate, Error> {
        let missing = Error::NotFound { what: "container" };
        let Ok(number) = Vmid::new(vmid) else {
            return Err(missing);
        };
        let doing = "looking at the container";
        let failed = |error| Error::Unavailable(explain::proxmox(doing, &error));
        let cluster = &self.site.cluster;
        let guests = cluster.guests().await.map_err(failed)?;
        let guest = guests
            .into_iter()
            .find(|guest| guest.vmid == number && guest.kind == GuestKind::Lxc)
            .ok_or(missing)?;
        if let Some(node) = &request.node
            && *node != guest.node.as_str()
        {
            return Err(Error::Conflict {
                code: "container_elsewhere",
                message: format!("Container {vmid} is on {}, not on {node}.", guest.node),
            });
        }
        let config = cluster
            .container_config(&guest.node, number)
            .await
            .map_err(failed)?;
        if let Some(lock) = &config.lock {
            return Err(Error::Conflict {
                code: "container_locked",
                message: format!(
                    "Container {vmid} is locked ({lock}). Try again when that is over."
                ),
            });
        }
        let claim = ownership::read(config.description.as_deref().unwrap_or_default())
            .filter(|_| !config.template)
            .ok_or_else(|| Error::Conflict {
                code: "not_ours",
                message: format!(
                    "Container {vmid} does not carry a proof in its description that Proximity made it. It is left alone."
                ),
            })?;
        match self.site.store.apps().get(claim.app).await {
            Ok(app) if app.deleted_at.is_none() => return Err(known(vmid, &app.name)),
            Ok(_) | Err(store::Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.read(number, guest, &config, claim)
    }

    /// The app as its container's configuration tells of it.
    fn read(
        &self,
        vmid: Vmid,
        guest: GuestSummary,
        config: &ContainerConfig,
        claim: Claim,
    ) -> Result<Candidate, Error> {
        let hostname = config.hostname.clone().unwrap_or_default();
        if !is_hostname(&hostname) {
            return Err(Error::Conflict {
                code: "hostname_changed",
                message: format!(
                    "The host name of container {vmid} is not one that Proximity gives. Set it back to the name of the \
                     folder in its /opt/proximity, then try again."
                ),
            });
        }
        let name = claim
            .name
            .clone()
            .filter(|name| planning::is_name(name))
            .unwrap_or_else(|| hostname.clone());
        Ok(Candidate {
            catalog_id: self.entry_of(config, &hostname),
            size: size(&guest, config),
            network: config
                .net(0)
                .map(|net| network(net, config))
                .unwrap_or_default(),
            storage: config
                .rootfs
                .as_ref()
                .and_then(|rootfs| rootfs.storage().map(str::to_owned)),
            claim,
            vmid,
            guest,
            name,
            hostname,
        })
    }

    /// The tag that is an entry of the catalog; else the only other one; else the host name. People add tags.
    fn entry_of(&self, config: &ContainerConfig, hostname: &str) -> String {
        let others: Vec<&String> = config
            .tags
            .iter()
            .filter(|tag| *tag != ownership::TAG)
            .collect();
        let listed = others.iter().find(|tag| self.manifest(tag).is_ok());
        match (listed, others.as_slice()) {
            (Some(tag), _) => (*tag).clone(),
            (None, [only]) if is_hostname(only) => (*only).clone(),
            _ => hostname.to_owned(),
        }
    }

    fn adoption(
        &self,
        asked: &Asked,
        candidate: &Candidate,
        idempotency: Option<store::IdempotencyKey>,
    ) -> Adoption {
        let id = candidate.claim.app;
        let state = candidate.state();
        let nothing = serde_json::to_vec(&Answers::default()).expect("answers are plain values");
        let Size {
            cores,
            memory,
            swap,
            disk,
        } = candidate.size;
        let app = NewApp {
            id,
            name: candidate.name.clone(),
            hostname: candidate.hostname.clone(),
            nonce: candidate.claim.nonce.clone(),
            reserved: Reserved {
                cores,
                memory,
                swap,
                disk,
            },
            network: candidate.network.clone(),
            parameters: Map::new(),
            sealed: Hidden(self.site.secrets.seal(&project::answers_row(id), &nothing)),
            endpoints: Vec::new(),
            owner: asked.who.username.clone(),
        };
        Adoption {
            deployment: Deployment {
                app,
                release: self.release(&candidate.catalog_id),
                state: serde_json::to_value(&state).expect("a state is plain values"),
                idempotency,
                audit: asked.audit("app.adopt", &candidate.name),
            },
            vmid: candidate.vmid.get(),
            node: candidate.guest.node.to_string(),
            storage: candidate.storage.clone(),
            created_at: id.made_at(),
        }
    }

    /// What the catalog has of the entry now; nothing, where it has none. What is installed is read later.
    fn release(&self, catalog_id: &str) -> NewRelease {
        if let Ok(manifest) = self.manifest(catalog_id) {
            return project::release(manifest);
        }
        let bundle = Bundle {
            id: catalog_id.to_owned(),
            files: catalog::Files::new(),
        };
        NewRelease {
            catalog_id: catalog_id.to_owned(),
            version: "unknown".to_owned(),
            revision: 0,
            bundle: serde_json::to_vec(&bundle).expect("a bundle is texts and bytes"),
        }
    }
}

impl Candidate {
    fn state(&self) -> State {
        State {
            app: self.claim.app,
            name: self.name.clone(),
            hostname: self.hostname.clone(),
            catalog_id: self.catalog_id.clone(),
            nonce: self.claim.nonce.clone(),
            size: self.size,
            network: self.network.clone(),
            architectures: Vec::new(),
            wanted_node: None,
            choice: None,
            vmid: Some(self.vmid.get()),
            create_task: None,
            create_asked: false,
            node: Some(self.guest.node.to_string()),
            address: None,
            was_running: None,
            before: None,
        }
    }
}

fn known(vmid: u32, app: &str) -> Error {
    Error::Conflict {
        code: "already_known",
        message: format!(
            "Container {vmid} carries the proof of `{app}`, and that app is here. If its own container is gone, delete \
             the app first: nothing but its own container is destroyed by that."
        ),
    }
}

/// What Proximity itself makes of names: it becomes part of paths and of a compose project's name.
fn is_hostname(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
}

/// As Proxmox fills in what a configuration leaves out.
fn size(guest: &GuestSummary, config: &ContainerConfig) -> Size {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of processors, held between 1 and 8192"
    )]
    let all = guest.cpus.clamp(1.0, 8192.0) as u32;
    let disk = config.rootfs.as_ref().and_then(|rootfs| rootfs.size);
    Size {
        cores: config.cores.unwrap_or(all),
        memory: config.memory.unwrap_or(512) << 20,
        swap: config.swap.unwrap_or(512) << 20,
        disk: disk.unwrap_or(guest.max_disk),
    }
}

fn network(net: &Net, config: &ContainerConfig) -> Network {
    let (address, gateway) = match net.ipv4 {
        Ipv4::Static {
            address,
            prefix,
            gateway,
        } => (Some(format!("{address}/{prefix}")), gateway.map(IpAddr::V4)),
        Ipv4::Unset | Ipv4::Dhcp | Ipv4::Manual => (None, None),
    };
    let servers = config.other.get("nameserver").map(String::as_str);
    Network {
        bridge: net.bridge.clone(),
        vlan: net.tag,
        address,
        gateway,
        nameservers: servers
            .unwrap_or_default()
            .split([' ', ','])
            .filter_map(|server| server.parse().ok())
            .collect(),
    }
}
