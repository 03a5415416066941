//! How many cases of each fault there were, for people and for `make test`.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, time::Duration};

use api::OperationKind;

use super::{
    case::{Case, Fault},
    verdict::Verdict,
};

/// The cases of one kind.
pub(super) struct Report {
    kind: OperationKind,
    counts: BTreeMap<Fault, usize>,
    /// Steps × faults.
    steps: BTreeMap<String, BTreeMap<Fault, usize>>,
    not_met: usize,
    slowest: Vec<(Duration, String)>,
    pub(super) failures: Vec<String>,
}

impl Report {
    pub(super) fn new(kind: OperationKind) -> Self {
        Self {
            kind,
            counts: BTreeMap::new(),
            steps: BTreeMap::new(),
            not_met: 0,
            slowest: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, case: &Case, verdict: Result<Verdict, String>, took: Duration) {
        match verdict {
            Ok(Verdict::NotMet) => {
                self.not_met += 1;
                return;
            }
            Ok(Verdict::Good) => {}
            Ok(Verdict::NotPlayed) => self.failures.push(format!("{case}: its step never began")),
            Err(why) => {
                println!("{case}: {why}");
                self.failures.push(format!("{case}: {why}"));
            }
        }
        *self.counts.entry(case.fault).or_default() += 1;
        let step = self.steps.entry(case.step.clone()).or_default();
        *step.entry(case.fault).or_default() += 1;
        self.slowest.push((took, case.to_string()));
        self.slowest
            .sort_by_key(|(took, _)| std::cmp::Reverse(*took));
        self.slowest.truncate(5);
    }

    /// Prints the table, and leaves the counts where `make test` adds them up.
    pub(super) fn tell(&self, took: Duration) {
        let sum: usize = self.counts.values().sum();
        println!(
            "matrix of {}: {sum} cases in {:.0} s; {} more lay behind the last look of a step",
            self.kind,
            took.as_secs_f64(),
            self.not_met
        );
        for (step, faults) in &self.steps {
            let counts: Vec<String> = faults
                .iter()
                .map(|(fault, count)| format!("{} {count}", fault.name()))
                .collect();
            let step = if step.is_empty() { "(its end)" } else { step };
            println!("  {step}: {}", counts.join(" · "));
        }
        for (took, case) in &self.slowest {
            println!("  {:.1} s {case}", took.as_secs_f64());
        }
        if std::env::var_os("MATRIX").is_some() {
            return;
        }
        let mut lines = String::new();
        for fault in Fault::ALL {
            let count = self.counts.get(&fault).copied().unwrap_or_default();
            let _ = writeln!(lines, "{count}\t{}", fault.name());
        }
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("matrix");
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(format!("{}.tsv", self.kind));
        std::fs::write(file, lines).expect("a file");
    }
}
