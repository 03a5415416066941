//! Calls about tasks.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::model::Model;
use crate::model::task::Task;
use crate::params::Params;
use crate::rest::answer::Answer;
use crate::schema::format;
use crate::work::Caller;

/// The task of the call's path, if the caller may see it.
fn find<'a>(model: &'a Model, caller: &Caller, params: &Params) -> Result<&'a Task, Failure> {
    let upid = params.required("upid");
    if !upid.starts_with("UPID:") || upid.split(':').count() != 9 {
        return Err(Failure::died(format!(
            "unable to parse worker upid '{upid}'"
        )));
    }
    let task = model
        .tasks
        .get(upid)
        .filter(|task| task.node == params.node())
        .ok_or_else(|| Failure::parameter("upid", "no such task"))?;
    if !caller.identity.owns(&task.user) {
        let path = format!("/nodes/{}", task.node);
        model.check(&caller.identity, &path, "Sys.Audit")?;
    }
    Ok(task)
}

/// `GET …/tasks/{upid}/status`.
pub(crate) fn status(
    cluster: &Cluster,
    caller: &Caller,
    params: &Params,
) -> Result<Answer, Failure> {
    let model = cluster.model();
    Ok(Answer::new(find(&model, caller, params)?.status_json()))
}

/// `GET …/tasks/{upid}/log`: 50 lines from the start unless asked otherwise; `limit=0` is all.
pub(crate) fn log(cluster: &Cluster, caller: &Caller, params: &Params) -> Result<Answer, Failure> {
    let model = cluster.model();
    let task = find(&model, caller, params)?;
    let whole = |name| params.integer(name).and_then(|n| usize::try_from(n).ok());
    let start = whole("start").unwrap_or(0);
    let limit = match whole("limit").unwrap_or(50) {
        0 => usize::MAX,
        limit => limit,
    };
    if task.log.is_empty() {
        return Ok(Answer::page(vec![json!({ "n": 1, "t": "no content" })], 1));
    }
    let rows = task
        .log
        .iter()
        .enumerate()
        .skip(start)
        .take(limit)
        .map(|(index, line)| json!({ "n": index + 1, "t": line }));
    Ok(Answer::page(rows.collect(), task.log.len()))
}

/// `DELETE …/tasks/{upid}`: a signal to the worker; returns before the worker has heeded it.
pub(crate) fn stop(cluster: &Cluster, caller: &Caller, params: &Params) -> Result<Answer, Failure> {
    let model = cluster.model();
    let task = find(&model, caller, params)?;
    if !caller.identity.owns(&task.user) {
        let path = format!("/nodes/{}", task.node);
        model.check(&caller.identity, &path, "Sys.Modify")?;
    }
    task.interrupt.cancel();
    Ok(Answer::nothing())
}

/// `GET /nodes/{node}/tasks`: newest first; running ones only when `source` asks for them.
pub(crate) fn list(cluster: &Cluster, caller: &Caller, params: &Params) -> Result<Answer, Failure> {
    let model = cluster.model();
    let node = params.node();
    model.node(node)?;
    let audit = model.may(&caller.identity, &format!("/nodes/{node}"), "Sys.Audit");
    let rows: Vec<Value> = model
        .tasks
        .all()
        .rev()
        .filter(|task| task.node == node && (audit || caller.identity.owns(&task.user)))
        .filter(|task| is_wanted(task, params))
        .map(Task::row_json)
        .collect();
    let whole = |name, usual| {
        params
            .integer(name)
            .map_or(usual, |n| usize::try_from(n).unwrap_or(usize::MAX))
    };
    let (start, limit, total) = (whole("start", 0), whole("limit", 50), rows.len());
    let page = rows.into_iter().skip(start).take(limit).collect();
    Ok(Answer::page(page, total))
}

fn is_wanted(task: &Task, params: &Params) -> bool {
    let running = task.exit.is_none();
    let source = match params.text("source").unwrap_or("archive") {
        "active" => running,
        "archive" => !running,
        _ => true,
    };
    let text = |name: &str, value: &str| params.text(name).is_none_or(|wanted| wanted == value);
    let state = if running {
        "unknown"
    } else if !task.is_ok() {
        "error"
    } else if task.exit.as_deref() == Some("OK") {
        "ok"
    } else {
        "warning"
    };
    source
        && text("vmid", &task.id)
        && text("typefilter", task.kind)
        && params
            .text("userfilter")
            .is_none_or(|part| task.user.contains(part))
        && params
            .integer("since")
            .is_none_or(|since| task.start >= since)
        && params
            .integer("until")
            .is_none_or(|until| task.start <= until)
        && (!params.flag("errors") || state == "error")
        && params
            .text("statusfilter")
            .is_none_or(|list| format::items(list).any(|wanted| wanted == state))
}
