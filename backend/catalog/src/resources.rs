//! What the container of an app needs.

use serde::{Deserialize, Serialize};

use crate::{
    compose::{Compose, Source},
    finding::{At, Findings},
    yaml::Fields,
};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Cores, and sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Processor cores.
    pub cores: u32,
    /// Memory.
    pub memory: u64,
    /// Swap.
    pub swap: u64,
    /// Root file system.
    pub disk: u64,
}

/// The least that an app runs with, and what it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Processor cores, at least.
    pub cores: u32,
    /// Memory in bytes, at least.
    pub memory: u64,
    /// Swap in bytes.
    pub swap: u64,
    /// Root file system in bytes, at least.
    pub disk: u64,
    /// What it should have; nothing of it is less than the floor.
    pub recommended: Amounts,
}

impl Resources {
    fn from_floor(floor: Amounts) -> Self {
        Self {
            cores: floor.cores,
            memory: floor.memory,
            swap: floor.swap,
            disk: floor.disk,
            recommended: floor,
        }
    }
}

/// Guesses from the services: databases and things on a JVM take more.
pub(crate) fn infer(compose: &Compose) -> Resources {
    const HEAVY: &[&str] = &[
        "postgres",
        "mysql",
        "mariadb",
        "mongo",
        "elastic",
        "opensearch",
        "clickhouse",
        "kafka",
        "solr",
        "cassandra",
        "mssql",
        "neo4j",
        "keycloak",
        "minecraft",
    ];
    let services = compose.services.iter().filter(|s| s.profiles.is_empty());
    let images: Vec<&str> = services
        .map(|s| s.image.as_deref().unwrap_or_default())
        .collect();
    let heavy = images
        .iter()
        .filter(|image| HEAVY.iter().any(|word| image.contains(word)))
        .count() as u64;
    let further = (images.len() as u64).saturating_sub(1);
    let volumes = compose
        .services
        .iter()
        .flat_map(|s| &s.mounts)
        .filter(|m| matches!(m.source, Source::Volume(_)))
        .count() as u64;
    Resources::from_floor(Amounts {
        cores: if images.len() > 2 { 2 } else { 1 },
        memory: (512 + 256 * further + 512 * heavy) * MIB,
        swap: 512 * MIB,
        disk: (4 + 2 * volumes) * GIB,
    })
}

/// Reads `resources`; what is not said is inferred.
pub(crate) fn read(
    fields: &mut Fields<'_>,
    compose: &Compose,
    findings: &mut Findings,
) -> Resources {
    let inferred = infer(compose);
    let Some(mut fields) = fields
        .node("resources")
        .and_then(|node| Fields::of(node, "`resources`", findings))
    else {
        return inferred;
    };
    let floor = amounts(&mut fields, inferred.recommended, findings);
    let recommended = fields
        .node("recommended")
        .and_then(|node| Fields::of(node, "`recommended`", findings))
        .map_or(floor, |mut fields| {
            let amounts = amounts(&mut fields, floor, findings);
            let at = fields.at();
            fields.finish(findings);
            if amounts.cores < floor.cores
                || amounts.memory < floor.memory
                || amounts.disk < floor.disk
            {
                findings.error(
                    at,
                    "What is recommended must not be less than what is needed.",
                );
            }
            amounts
        });
    sane(floor, fields.at(), findings);
    fields.finish(findings);
    Resources {
        recommended,
        ..Resources::from_floor(floor)
    }
}

fn amounts(fields: &mut Fields<'_>, otherwise: Amounts, findings: &mut Findings) -> Amounts {
    Amounts {
        cores: fields
            .number("cores", findings)
            .map_or(otherwise.cores, |n| u32::try_from(n).unwrap_or(u32::MAX)),
        memory: fields.size("memory", findings).unwrap_or(otherwise.memory),
        swap: fields.size("swap", findings).unwrap_or(otherwise.swap),
        disk: fields.size("disk", findings).unwrap_or(otherwise.disk),
    }
}

/// Proxmox takes 16 MiB and up, and whole GiB of disk; Docker with one small image needs more than that.
fn sane(floor: Amounts, at: &At, findings: &mut Findings) {
    if !(1..=512).contains(&floor.cores) {
        findings.error(at, "`cores` must be from 1 to 512.");
    }
    if floor.memory < 128 * MIB {
        findings.error(
            at,
            "`memory` must be at least 128MiB: Docker itself needs most of that.",
        );
    }
    if floor.disk < GIB {
        findings.error(at, "`disk` must be at least 1GiB.");
    }
}
