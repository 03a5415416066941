//! Who drove an operation, by what each replica logs: a line for each write to the journal that was taken.

use std::collections::BTreeMap;

use crate::world::{Actor, World};

/// Proves that no two replicas drove `operation` at once: whoever took over wrote nothing before the other had
/// written its last, and no step finished twice. Answers the replicas in the order in which they drove.
pub(crate) async fn one_at_a_time(world: &mut World, admin: &Actor, operation: &str) -> Vec<usize> {
    let mut writes: Vec<(String, usize, String)> = Vec::new();
    for number in 0..world.count() {
        let log = world.replica(number).log();
        let lines = log.lines().filter(|line| line.contains(operation));
        for line in lines.filter(|line| line.contains("control::operation: ") && is_write(line)) {
            let time = line.split(' ').next().expect("a time").to_owned();
            writes.push((time, number, line.to_owned()));
        }
    }
    writes.sort();
    let mut drivers: Vec<usize> = writes.iter().map(|(_, number, _)| *number).collect();
    drivers.dedup();
    let mut once = drivers.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(
        once.len(),
        drivers.len(),
        "they took turns within one operation: {writes:#?}"
    );

    let path = format!("/api/v1/operations/{operation}/events?format=json&limit=1000");
    let events = admin.get(&path).await.body;
    let mut finished: BTreeMap<String, usize> = BTreeMap::new();
    for event in events["items"].as_array().expect("a list") {
        if event["kind"] == "step.finished" {
            let step = event["step"].as_str().expect("a step");
            *finished.entry(step.to_owned()).or_default() += 1;
        }
    }
    assert!(
        finished.values().all(|times| *times == 1),
        "a step finished twice: {finished:?}"
    );
    drivers
}

fn is_write(line: &str) -> bool {
    [" started ", " finished ", " failed", " undone "]
        .iter()
        .any(|what| line.contains(what))
}
