//! The matrix: every kind of operation × every step × every fault.
//!
//! Nobody writes a case. The kinds are all that there are, the steps those of their plans; what each step asks
//! of the cluster is recorded from a run without a fault, on the way forward and on the way back; what can go
//! wrong at a call is the simulation's own list. Each case is played on a town of its own cluster, database and
//! process, and judged.
//!
//! `MATRIX=text` plays only the cases whose name contains the text, e.g. `deploy/create_container/AnswerLost`.

mod case;
mod drive;
mod form;
mod loss;
mod report;
mod town;
mod verdict;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use api::OperationKind;
use tokio::task::JoinSet;

use case::{Case, Record, Way, cases, missing};
use drive::Driver;
use report::Report;
use town::{Identity, Town};
use verdict::{Verdict, judge};

/// Towns beside each other: most of a case is waiting.
const TOWNS: usize = 8;
/// Failures after which the rest is not played any more.
const ENOUGH: usize = 25;

/// One test a kind, so that they run beside each other.
macro_rules! kinds {
    ($($name:ident: $kind:ident, $least:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                play(OperationKind::$kind, $least).await;
            }
        )*

        #[test]
        fn every_kind_has_its_matrix() {
            let mut here = vec![$(OperationKind::$kind),*];
            let mut all = OperationKind::ALL.to_vec();
            here.sort_by_key(|kind| kind.to_string());
            all.sort_by_key(|kind| kind.to_string());
            assert_eq!(here, all);
        }
    };
}

// The least number of cases: far below what there are, far above nothing.
kinds! {
    deploy: Deploy, 350;
    start: Start, 150;
    stop: Stop, 60;
    restart: Restart, 180;
    delete: Delete, 60;
    adopt: Adopt, 60;
}

/// Tickets log in, tokens set features on the node: each is there once.
fn identity(kind: OperationKind) -> Identity {
    match kind {
        OperationKind::Deploy => Identity::Token,
        _ => Identity::Password,
    }
}

/// What a kind does without a fault, on the way forward and back.
async fn record(town: &mut Town, kind: OperationKind) -> Record {
    let mut record = Record::default();
    for (way, turns_back) in [(Way::Forward, false), (Way::Back, true)] {
        town.prepare(kind).await;
        town.kill().await;
        town.begin().await;
        let seen = Driver::run(town, kind, None, turns_back).await;
        let seen = seen.expect("nothing goes wrong").record;
        let mine = seen.marks.into_iter().filter(|(on, _)| *on == way);
        record.marks.extend(mine);
        let mine = seen.calls.into_iter().filter(|((on, _), _)| *on == way);
        record.calls.extend(mine);
    }
    record
}

async fn play(kind: OperationKind, least: usize) {
    let began = Instant::now();
    let mut town = Town::new(identity(kind)).await;
    let record = record(&mut town, kind).await;
    let mut all = cases(kind, &record);
    let missing = missing(kind, &record, &all);
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(all.len() >= least, "only {} cases: {record:#?}", all.len());
    if let Ok(wanted) = std::env::var("MATRIX") {
        all.retain(|case| case.to_string().contains(&wanted));
    }
    let all: VecDeque<(Case, bool)> = all.into_iter().map(|case| (case, false)).collect();
    let queue = Arc::new(Mutex::new(all));
    let report = Arc::new(Mutex::new(Report::new(kind)));
    let mut players = JoinSet::new();
    players.spawn(player(town, queue.clone(), report.clone()));
    for _ in 1..TOWNS {
        let (queue, report) = (queue.clone(), report.clone());
        players.spawn(async move {
            player(Town::new(identity(kind)).await, queue, report).await;
        });
    }
    while let Some(ended) = players.join_next().await {
        ended.expect("no player gives up");
    }
    let report = report.lock().unwrap_or_else(PoisonError::into_inner);
    report.tell(began.elapsed());
    assert!(
        report.failures.is_empty(),
        "{}",
        report.failures.join("\n\n")
    );
}

/// Plays cases until there are none; a town in which one went wrong is left.
async fn player(
    mut town: Town,
    queue: Arc<Mutex<VecDeque<(Case, bool)>>>,
    report: Arc<Mutex<Report>>,
) {
    loop {
        let next = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some((case, is_second)) = next else { break };
        let began = Instant::now();
        let verdict = judge(&mut town, &case).await;
        if matches!(verdict, Ok(Verdict::NotPlayed)) && !is_second {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push_back((case, true));
            continue;
        }
        let is_bad = verdict.is_err();
        let failures = {
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.add(&case, verdict, began.elapsed());
            report.failures.len()
        };
        if failures >= ENOUGH {
            break;
        }
        if is_bad {
            let left = std::mem::replace(&mut town, Town::new(identity(case.kind)).await);
            left.end().await;
        }
    }
    town.end().await;
}
