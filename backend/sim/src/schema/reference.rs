//! Compares the tables with Proxmox's own description of its API, where that lies beside the project.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{Kind, Parameter};
use crate::rest::routes;

/// Options of volumes that came after the description was taken.
const NEWER: &[&str] = &["idmap"];

fn description() -> Option<Vec<Value>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/pve-api-9.1.json");
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("the description is JSON"))
}

fn whole(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

fn compare(at: &str, table: &[&[Parameter]], described: &Value, wrong: &mut Vec<String>) {
    let described = described.as_object().cloned().unwrap_or_default();
    let own: BTreeSet<&str> = table
        .iter()
        .copied()
        .flatten()
        .map(|one| one.name)
        .collect();
    for name in described.keys().filter(|name| !own.contains(name.as_str())) {
        wrong.push(format!("{at}: {name} is missing"));
    }
    for parameter in table.iter().copied().flatten() {
        let name = parameter.name;
        let Some(other) = described.get(name) else {
            if !NEWER.contains(&name) {
                wrong.push(format!("{at}: {name} does not exist"));
            }
            continue;
        };
        let optional = other["optional"].as_i64() == Some(1);
        if optional == parameter.required {
            wrong.push(format!("{at}: {name} optional: {optional}"));
        }
        compare_kind(&format!("{at}: {name}"), parameter.kind, other, wrong);
    }
}

fn compare_kind(at: &str, kind: Kind, other: &Value, wrong: &mut Vec<String>) {
    let mut expect = |ok: bool| {
        if !ok {
            wrong.push(format!("{at}: {kind:?} but {other}"));
        }
    };
    match kind {
        Kind::Boolean => expect(other["type"] == "boolean"),
        Kind::Integer { min, max } => {
            expect(other["type"] == "integer");
            expect(whole(&other["minimum"]).is_none_or(|other| other == min));
            expect(whole(&other["maximum"]).is_none_or(|other| other == max));
        }
        Kind::Number { min, .. } => {
            expect(other["type"] == "number");
            let same =
                whole(&other["minimum"]).is_none_or(|other| other.to_string() == min.to_string());
            expect(same);
        }
        Kind::Enum(allowed) => {
            let other: Vec<_> = other["enum"].as_array().into_iter().flatten().collect();
            expect(other == allowed);
        }
        Kind::Text { max, .. } | Kind::Bounded(max, _) if other["maxLength"].is_number() => {
            expect(other["maxLength"].as_u64() == u64::try_from(max).ok());
        }
        Kind::Properties(table, default_key) => {
            let format = &other["format"];
            compare(at, &[table], format, wrong);
            let default = format.as_object().and_then(|keys| {
                let mut keys = keys.iter();
                keys.find(|(_, value)| value["default_key"].as_i64() == Some(1))
            });
            if default.map(|(key, _)| key.as_str()) != default_key {
                wrong.push(format!("{at}: default key {default_key:?}"));
            }
        }
        Kind::Text { .. } | Kind::Bounded(..) | Kind::Format(_) => {
            expect(other["type"] == "string");
        }
    }
}

#[test]
fn tables_say_what_proxmox_says() {
    let Some(described) = description() else {
        println!("skipped: Proxmox's description of its API is not here");
        return;
    };
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (method, path, tables) in routes::all() {
        let found = described.iter().find(|one| one["path"] == path);
        let Some(call) = found
            .map(|one| &one["info"][method])
            .filter(|c| c.is_object())
        else {
            wrong.push(format!("{method} {path} does not exist"));
            continue;
        };
        compared += 1;
        compare(
            &format!("{method} {path}"),
            tables,
            &call["parameters"]["properties"],
            &mut wrong,
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 25);
}
