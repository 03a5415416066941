//! Recorded answers, held against the wire types.

use api::{App, AuditEntry, Candidate, CatalogDetail, Checked, Event, Node, Operation, Plan};
use serde_json::{Value, json};

pub(crate) const APP: &str = "app_0000000000000000000000000000000a";
pub(crate) const OPERATION: &str = "op_0000000000000000000000000000000b";

/// 2026-01-31T12:00:00Z and so many seconds.
pub(crate) fn time(seconds: u32) -> String {
    format!("2026-01-31T12:{:02}:{:02}Z", seconds / 60, seconds % 60)
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn app(name: &str) -> App {
    parse(json!({
        "id": APP, "name": name, "hostname": "whoami", "catalog_id": "whoami", "version": "1.11.0",
        "state": "running", "node": "pve1", "vmid": 101, "address": "10.20.0.11",
        "endpoints": [
            {"name": "web", "scheme": "http", "port": 80, "url": "http://10.20.0.11", "primary": true},
            {"name": "admin", "scheme": "http", "port": 8080, "url": "http://10.20.0.11:8080", "primary": false},
        ],
        "resources": {"cores": 1, "memory": 536_870_912, "disk": 4_294_967_296_u64},
        "parameters": {"WHOAMI_NAME": "kitchen", "REPLICAS": 2},
        "created_at": time(0), "updated_at": time(90),
    }))
}

pub(crate) fn operation(kind: &str, status: &str) -> Operation {
    let at_rest = matches!(status, "completed" | "unwound" | "stuck");
    parse(json!({
        "id": OPERATION, "kind": kind, "status": status,
        "app": {"id": APP, "name": "whoami", "catalog_id": "whoami"},
        "requested_by": "admin", "cancel_requested": false,
        "created_at": time(0), "started_at": time(1), "finished_at": at_rest.then(|| time(88)),
        "steps": [
            {"name": "choose_node", "status": "done", "started_at": time(1), "finished_at": time(2)},
            {"name": "create_container", "status": "done", "started_at": time(2), "finished_at": time(12)},
            {"name": "pull_images", "status": "pending"},
        ],
    }))
}

pub(crate) fn failed(status: &str) -> Operation {
    let mut operation = operation("deploy", status);
    operation.error = Some(parse(json!({
        "code": "image_not_found", "message": "The image traefik/whoami:v9 does not exist.",
        "step": "pull_images",
        "evidence": ["manifest unknown: \u{1b}[31mmanifest unknown", "exit status 1"],
        "hint": "Check the tag of the image in the catalog entry.",
    })));
    operation
}

pub(crate) fn event(id: i64, kind: &str, step: Option<&str>, message: Option<&str>) -> Event {
    parse(json!({
        "id": id, "time": time(u32::try_from(id).unwrap()), "kind": kind, "operation": OPERATION, "app": APP,
        "step": step, "message": message,
    }))
}

/// An event as the stream carries it.
pub(crate) fn sse(event: &Event) -> String {
    let data = serde_json::to_string(event).unwrap();
    format!("event: {}\nid: {}\ndata: {data}\n\n", event.kind, event.id)
}

pub(crate) fn node(name: &str, unfit: Option<&str>) -> Node {
    parse(json!({
        "name": name, "state": if unfit.is_some() { "offline" } else { "online" }, "cpu": 0.126, "cores": 8,
        "memory_used": 6_442_450_944_u64, "memory_total": 34_359_738_368_u64, "memory_promised": 536_870_912,
        "apps": 3, "unfit": unfit,
    }))
}

/// An entry of the audit log.
pub(crate) fn audit(action: &str, target: &str, detail: Option<&str>) -> AuditEntry {
    parse(json!({
        "id": 7, "time": time(30), "principal": "admin", "action": action, "target": target,
        "outcome": "accepted", "request_id": "req_1", "detail": detail,
    }))
}

pub(crate) fn entry() -> CatalogDetail {
    parse(json!({
        "id": "whoami", "name": "whoami", "version": "1.11.0", "tagline": "Tells who asks",
        "category": "developer-tools", "tags": ["http", "test"],
        "resources": {"cores": 1, "memory": 268_435_456, "disk": 2_147_483_648_u64},
        "readme": "# whoami\n\nPrints the request.\u{1b}]0;owned\u{7}",
        "links": {"source": "https://github.com/traefik/whoami"},
        "licence": "Apache-2.0", "architectures": ["amd64", "arm64"],
        "parameters": [
            parameter("WHOAMI_NAME", "string", &json!("kitchen")),
            parameter("REPLICAS", "int", &json!(1)),
            parameter("VERBOSE", "bool", &json!(false)),
            parameter("PASSWORD", "secret", &Value::Null),
        ],
        "images": ["traefik/whoami:v1.11.0"],
    }))
}

fn parameter(name: &str, kind: &str, default: &Value) -> Value {
    json!({
        "name": name, "label": format!("The {name}"), "type": kind, "default": default, "required": false,
        "generated": default.is_null(), "advanced": false, "immutable": false, "hidden": false,
    })
}

pub(crate) fn checked(ok: bool) -> Checked {
    let severity = if ok { "warning" } else { "error" };
    parse(json!({"ok": ok, "findings": [
        {"severity": severity, "file": "compose.yaml", "line": 4, "column": 7, "message": "`privileged` has no effect here"},
        {"severity": "note", "file": "compose.yaml", "message": "no restart policy"},
    ]}))
}

pub(crate) fn plan() -> Plan {
    let candidates: Vec<Candidate> = parse(json!([
        {"node": "pve1", "fits": true, "reason": "most memory is free", "score": 0.81},
        {"node": "pve2", "fits": false, "reason": "is in maintenance"},
    ]));
    parse(json!({
        "name": "whoami", "catalog_id": "whoami", "node": "pve1", "reason": "most memory is free",
        "candidates": candidates, "vmid": 101, "storage": "local-lvm", "template": "alpine-3.22-default",
        "template_download": true, "address": "dhcp", "bridge": "vmbr0",
        "resources": {"cores": 1, "memory": 268_435_456, "disk": 2_147_483_648_u64},
        "images": ["traefik/whoami:v1.11.0"],
        "endpoints": [{"name": "web", "scheme": "http", "port": 80, "url": "http://<address>", "primary": true}],
        "steps": [
            {"name": "create_container", "description": "Creates container 101 on pve1.", "reversible": true, "expected_seconds": 4.6},
            {"name": "pull_images", "description": "Pulls traefik/whoami:v1.11.0.", "reversible": true, "expected_seconds": 0.4},
        ],
    }))
}

pub(crate) fn problem(status: u16, code: &str, detail: &str) -> Value {
    json!({
        "type": "about:blank", "title": "No", "status": status, "detail": detail, "code": code,
        "request_id": "req_1",
    })
}

/// A page of a list.
pub(crate) fn page(items: impl serde::Serialize, next: Option<&str>) -> Value {
    json!({"items": items, "next": next})
}
