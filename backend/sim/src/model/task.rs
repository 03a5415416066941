//! Tasks: what runs in the background on a node, its log and how it ended.

use indexmap::IndexMap;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock;

/// One task, running or over.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) upid: String,
    pub(crate) node: String,
    pub(crate) pid: u32,
    pub(crate) pstart: u32,
    /// `vzcreate`, `vzstart`, `download`, …
    pub(crate) kind: &'static str,
    /// What it is about: a container's number or nothing.
    pub(crate) id: String,
    pub(crate) user: String,
    /// Seconds since the epoch.
    pub(crate) start: u64,
    /// Seconds since the epoch; `None` while it runs.
    pub(crate) end: Option<u64>,
    /// `OK`, `WARNINGS: n` or the error; `None` while it runs.
    pub(crate) exit: Option<String>,
    pub(crate) log: Vec<String>,
    /// Asks the worker to stop and clean up, as a signal does.
    pub(crate) interrupt: CancellationToken,
    /// Ends the worker where it stands, as a dead node does.
    pub(crate) kill: CancellationToken,
}

impl Task {
    /// As `GET …/tasks/{upid}/status` shows it.
    pub(crate) fn status_json(&self) -> Value {
        let mut shown = json!({
            "upid": self.upid, "node": self.node, "pid": self.pid, "pstart": self.pstart,
            "starttime": self.start, "type": self.kind, "id": self.id, "user": self.user,
            "status": if self.exit.is_some() { "stopped" } else { "running" },
        });
        if let Some((user, token)) = self.user.split_once('!') {
            shown["user"] = json!(user);
            shown["tokenid"] = json!(token);
        }
        if let Some(exit) = &self.exit {
            shown["exitstatus"] = json!(exit);
        }
        shown
    }

    /// As a row of `GET …/tasks` shows it.
    pub(crate) fn row_json(&self) -> Value {
        let mut shown = self.status_json();
        let row = shown.as_object_mut().expect("a task is shown as an object");
        let exit = row.remove("exitstatus");
        row.insert("status".to_owned(), exit.unwrap_or(json!("RUNNING")));
        if let Some(end) = self.end {
            row.insert("endtime".to_owned(), json!(end));
        }
        shown
    }

    /// Whether it ended well.
    pub(crate) fn is_ok(&self) -> bool {
        self.exit
            .as_deref()
            .is_some_and(|exit| exit == "OK" || exit.starts_with("WARNINGS"))
    }
}

/// All tasks of the cluster, oldest first.
#[derive(Debug)]
pub(crate) struct Tasks {
    list: IndexMap<String, Task>,
    last_pid: u32,
    /// How many run; whoever waits for tasks watches this.
    running: watch::Sender<usize>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            list: IndexMap::new(),
            last_pid: 0x0001_0A00,
            running: watch::Sender::new(0),
        }
    }
}

impl Tasks {
    /// Enters a new running task and returns a copy.
    pub(crate) fn open(&mut self, node: &str, kind: &'static str, id: &str, user: &str) -> Task {
        self.last_pid = self
            .last_pid
            .wrapping_add(1 + u32::from(rand::random::<u8>()));
        let start = clock::now();
        let (pid, pstart) = (
            self.last_pid,
            0x03C1_0000 | u32::from(rand::random::<u16>()),
        );
        let task = Task {
            upid: format!("UPID:{node}:{pid:08X}:{pstart:08X}:{start:08X}:{kind}:{id}:{user}:"),
            node: node.to_owned(),
            pid,
            pstart,
            kind,
            id: id.to_owned(),
            user: user.to_owned(),
            start,
            end: None,
            exit: None,
            log: Vec::new(),
            interrupt: CancellationToken::new(),
            kill: CancellationToken::new(),
        };
        self.list.insert(task.upid.clone(), task.clone());
        self.announce();
        task
    }

    /// Adds a line to a task's log.
    pub(crate) fn log(&mut self, upid: &str, line: String) {
        if let Some(task) = self.list.get_mut(upid) {
            task.log.push(line);
        }
    }

    /// Ends a task; an error becomes its last line.
    pub(crate) fn close(&mut self, upid: &str, outcome: Result<(), String>) {
        if let Some(task) = self.list.get_mut(upid) {
            task.end = Some(clock::now());
            let (line, exit) = match outcome {
                Ok(()) => ("TASK OK".to_owned(), "OK".to_owned()),
                Err(text) => (format!("TASK ERROR: {text}"), text.replace('\n', " ")),
            };
            task.log.extend(line.lines().map(str::to_owned));
            task.exit = Some(exit);
        }
        self.announce();
    }

    /// Ends a task whose worker died without a last line.
    pub(crate) fn lose(&mut self, upid: &str) {
        if let Some(task) = self.list.get_mut(upid) {
            task.end = Some(clock::now());
            task.exit = Some("unexpected status".to_owned());
        }
        self.announce();
    }

    /// A task by its id.
    pub(crate) fn get(&self, upid: &str) -> Option<&Task> {
        self.list.get(upid)
    }

    /// All tasks, oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Task> {
        self.list.values()
    }

    /// Tells how many tasks run, now and whenever it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.running.subscribe()
    }

    fn announce(&self) {
        let running = self
            .list
            .values()
            .filter(|task| task.exit.is_none())
            .count();
        self.running.send_replace(running);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upid_and_end_look_like_proxmox() {
        let mut tasks = Tasks::default();
        let task = tasks.open("pve1", "vzcreate", "101", "root@pam!proximity");
        let parts: Vec<_> = task.upid.split(':').collect();
        assert_eq!((parts[0], parts[1]), ("UPID", "pve1"));
        assert!(parts[2..5].iter().all(|part| part.len() == 8));
        assert_eq!(parts[5..], ["vzcreate", "101", "root@pam!proximity", ""]);
        assert_eq!(
            tasks.get(&task.upid).unwrap().row_json()["status"],
            "RUNNING"
        );
        assert_eq!(*tasks.watch().borrow(), 1);
        tasks.close(&task.upid, Err("one\ntwo".to_owned()));
        let over = tasks.get(&task.upid).unwrap();
        assert_eq!(over.status_json()["exitstatus"], "one two");
        assert_eq!(over.log, ["TASK ERROR: one", "two"]);
        assert_eq!(over.status_json()["tokenid"], "proximity");
        assert_eq!(*tasks.watch().borrow(), 0);
    }
}
