//! The plan as people see it: what would happen where, why there, how long, and what stays if it fails.

use api::{CatalogDetail, Plan};
use control::PlanDigest;
use serde::Serialize;
use serde_json::{Value, json};

use super::form;
use crate::web::{
    command::{self, Command},
    posted::Fields,
    words,
};

/// The plan as people see it.
#[derive(Serialize)]
pub(super) struct PlanView {
    /// Why there is none.
    none: Option<&'static str>,
    catalog_id: String,
    app: String,
    node: Option<String>,
    reason: String,
    digest: String,
    facts: Vec<(&'static str, String)>,
    opens: Vec<String>,
    images: Vec<String>,
    steps: Vec<Step>,
    /// How long it will take, in words.
    expected: Option<String>,
    others: Vec<Other>,
    command: Command,
}

#[derive(Serialize)]
struct Step {
    name: String,
    description: String,
    reversible: bool,
    expected: Option<String>,
}

/// A node that was not chosen.
#[derive(Serialize)]
struct Other {
    node: String,
    fits: bool,
    reason: String,
}

impl PlanView {
    /// Of this plan.
    pub(super) fn of(plan: &Plan, detail: &CatalogDetail, typed: &Fields) -> Self {
        let seconds: Vec<f64> = plan
            .steps
            .iter()
            .filter_map(|step| step.expected_seconds)
            .collect();
        let chosen = plan
            .candidates
            .iter()
            .find(|other| Some(&other.node) == plan.node.as_ref());
        let others = plan
            .candidates
            .iter()
            .filter(|other| Some(&other.node) != plan.node.as_ref());
        Self {
            none: None,
            catalog_id: plan.catalog_id.clone(),
            app: plan.name.clone(),
            node: plan.node.clone(),
            reason: chosen
                .map_or_else(|| sentence(&plan.reason), |chosen| sentence(&chosen.reason)),
            digest: PlanDigest::of(plan).to_string(),
            facts: facts(plan),
            opens: plan
                .endpoints
                .iter()
                .map(|endpoint| endpoint.url.clone())
                .collect(),
            images: plan.images.clone(),
            steps: plan
                .steps
                .iter()
                .map(|step| Step {
                    name: step.name.clone(),
                    description: step.description.clone(),
                    reversible: step.reversible,
                    expected: step.expected_seconds.map(words::duration),
                })
                .collect(),
            expected: (!seconds.is_empty()).then(|| words::duration(seconds.iter().sum())),
            others: others
                .map(|other| Other {
                    node: other.node.clone(),
                    fits: other.fits,
                    reason: sentence(&other.reason),
                })
                .collect(),
            command: command(detail, typed),
        }
    }

    /// Where none can be made: something is wrong with the fields, or the cluster has not been seen yet.
    pub(super) fn none(is_wrong: bool, detail: &CatalogDetail, typed: &Fields) -> Self {
        let why = if is_wrong {
            "The plan appears as soon as the fields are right."
        } else {
            "The cluster has not been seen yet. The plan appears as soon as it answers."
        };
        Self {
            none: Some(why),
            catalog_id: detail.app.id.clone(),
            app: String::new(),
            node: None,
            reason: String::new(),
            digest: String::new(),
            facts: Vec::new(),
            opens: Vec::new(),
            images: Vec::new(),
            steps: Vec::new(),
            expected: None,
            others: Vec::new(),
            command: command(detail, typed),
        }
    }
}

fn facts(plan: &Plan) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(vmid) = plan.vmid {
        facts.push((
            "Container",
            format!("{vmid}, if nobody takes the number before"),
        ));
    }
    if let Some(storage) = &plan.storage {
        facts.push(("Storage", storage.clone()));
    }
    let address = match plan.address.as_str() {
        "dhcp" => format!("by DHCP on {}", plan.bridge),
        fixed => format!("{fixed} on {}", plan.bridge),
    };
    facts.push(("Address", address));
    let resources = &plan.resources;
    let cores = resources.cores.unwrap_or_default();
    facts.push((
        "May use",
        format!(
            "{cores} core{}, {} memory, {} swap, {} disk",
            if cores == 1 { "" } else { "s" },
            words::bytes(resources.memory.unwrap_or_default()),
            words::bytes(resources.swap.unwrap_or_default()),
            words::bytes(resources.disk.unwrap_or_default()),
        ),
    ));
    if let Some(template) = &plan.template {
        let fetched = if plan.template_download {
            ", downloaded first"
        } else {
            ""
        };
        facts.push(("Template", format!("{template}{fetched}")));
    }
    facts
}

fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// The same by command. Secrets are variables: a command line is no place for them.
fn command(detail: &CatalogDetail, typed: &Fields) -> Command {
    let (request, _) = form::request(detail, typed);
    let mut words = vec!["deploy".to_owned(), request.catalog_id.clone()];
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([name.to_owned(), value]);
        }
    };
    option("--name", request.name.clone());
    option("--node", request.node.clone());
    option(
        "--cores",
        request.resources.cores.map(|cores| cores.to_string()),
    );
    option(
        "--memory",
        request
            .resources
            .memory
            .map(|size| format!("{}MiB", size >> 20)),
    );
    option(
        "--swap",
        request
            .resources
            .swap
            .map(|size| format!("{}MiB", size >> 20)),
    );
    option(
        "--disk",
        request
            .resources
            .disk
            .map(|size| format!("{}GiB", size >> 30)),
    );
    option("--address", request.network.address.clone());
    option(
        "--gateway",
        request.network.gateway.map(|address| address.to_string()),
    );
    option("--bridge", request.network.bridge.clone());
    option("--vlan", request.network.vlan.map(|vlan| vlan.to_string()));
    for server in &request.network.nameservers {
        option("--nameserver", Some(server.to_string()));
    }
    let mut body = serde_json::to_value(&request).unwrap_or_default();
    for (key, value) in &request.parameters {
        let parameter = detail
            .parameters
            .iter()
            .find(|parameter| parameter.name == *key);
        if parameter.is_some_and(|parameter| {
            parameter
                .default
                .as_ref()
                .is_some_and(|default| same(default, value))
        }) {
            // Said by the entry already.
            body["parameters"]
                .as_object_mut()
                .map(|all| all.remove(key));
        } else if parameter.is_some_and(|parameter| parameter.kind == "secret") {
            option("--set-file", Some(format!("{key}=FILE")));
            body["parameters"][key] = Value::from("…");
        } else {
            option("--set", Some(format!("{key}={}", plain(value))));
        }
    }
    prune(&mut body);
    Command {
        cli: command::cli(words.iter().map(String::as_str)),
        curl: command::curl("POST", "/apps", Some(&body)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn same(default: &Value, value: &Value) -> bool {
    plain(default) == plain(value)
}

/// Leaves out what says nothing.
fn prune(body: &mut Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| *value != json!({}) && *value != json!([]));
    }
}
