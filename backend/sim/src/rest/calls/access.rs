//! Logging in, and what the caller may do.

use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::CLUSTER_NAME;
use crate::params::Params;
use crate::rest::answer::Answer;
use crate::work::Caller;

/// `POST /access/ticket`.
pub(crate) fn login(cluster: &Cluster, params: &Params) -> Result<Answer, Failure> {
    let username = params.required("username");
    let user = match params.text("realm") {
        Some(realm) if !username.contains('@') => format!("{username}@{realm}"),
        _ => username.to_owned(),
    };
    let ticket = cluster
        .model()
        .identities
        .login(&user, params.required("password"))
        .ok_or_else(Failure::wrong_login)?;
    Ok(Answer::new(json!({
        "username": ticket.user,
        "ticket": ticket.text,
        "CSRFPreventionToken": ticket.csrf,
        "clustername": CLUSTER_NAME,
        "cap": { "dc": { "Sys.Audit": 1 }, "vms": { "VM.Audit": 1 } },
    })))
}

/// `GET /access/permissions`: the caller's privileges by path; `path` asks for one.
pub(crate) fn permissions(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    let model = cluster.model();
    let asked_other = params
        .text("userid")
        .is_some_and(|user| user != caller.identity.name());
    if asked_other {
        model.check(&caller.identity, "/access", "Sys.Audit")?;
        return Err(Failure::died(
            "the simulated cluster tells only the caller's own permissions",
        ));
    }
    let paths: Vec<&str> = match params.text("path") {
        Some(path) => vec![path],
        None => vec![
            "/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms",
        ],
    };
    let mut shown = Map::new();
    for path in paths {
        let held = model
            .permissions
            .of(&model.identities, &caller.identity, path);
        let held: Map<String, Value> = held
            .into_iter()
            .map(|privilege| (privilege.to_owned(), json!(1)))
            .collect();
        if !held.is_empty() {
            shown.insert(path.to_owned(), Value::Object(held));
        }
    }
    Ok(Answer::new(Value::Object(shown)))
}
