//! Tasks: what a node does after it has answered.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fields::Fields;
use crate::request::Request;
use crate::{Client, NodeName, Result, Upid, Vmid};

/// Whether a task still runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// It runs.
    Running,
    /// It has ended so.
    Stopped(Exit),
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Well.
    Ok,
    /// Well, with so many warnings in its log.
    Warnings(u32),
    /// Not well; the reason in one line.
    Failed(String),
}

impl Exit {
    /// Reads an `exitstatus`. Everything but `OK` and `WARNINGS: n` is a reason.
    fn parse(text: &str) -> Self {
        let warnings = || text.strip_prefix("WARNINGS:")?.trim().parse().ok();
        if text == "OK" {
            Self::Ok
        } else {
            warnings().map_or_else(|| Self::Failed(text.to_owned()), Self::Warnings)
        }
    }

    /// Whether it did what it was to do.
    pub fn is_success(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

/// One line of a task's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its number, from 1 on.
    pub n: u64,
    /// Its text.
    pub text: String,
}

/// Which tasks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskSource {
    /// Running ones and ended ones.
    #[default]
    All,
    /// Running ones, and those that ended a moment ago.
    Active,
    /// Ended ones.
    Archive,
}

/// Which tasks are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskFilter {
    /// Those of a guest.
    pub vmid: Option<Vmid>,
    /// Those of a type, such as `vzcreate`.
    pub kind: Option<String>,
    /// Those that started at or after, in seconds since 1970 by the node's clock.
    pub since: Option<u64>,
    /// Running, ended or both.
    pub source: TaskSource,
}

/// One row of a node's list of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Its name, which holds type, id, user and start.
    pub upid: Upid,
    /// Whether it runs, or how it ended.
    pub status: TaskStatus,
    /// When it ended, in seconds since 1970.
    pub ended: Option<u64>,
}

/// Lines asked for at once; without a number the host gives 50, which cuts off what went wrong.
pub(crate) const PAGE: usize = 500;
/// The longest log that is read: more lines than any task of ours writes.
const LONGEST_LOG: usize = 100_000;

pub(crate) fn task_status(upid: &Upid) -> Request {
    Request::task(Endpoint::TaskStatus, upid)
}

pub(crate) fn task_log(upid: &Upid, start: u64) -> Request {
    Request::task(Endpoint::TaskLog, upid)
        .with("start", start)
        .with("limit", PAGE)
}

pub(crate) fn stop_task(upid: &Upid) -> Request {
    Request::task(Endpoint::StopTask, upid)
}

pub(crate) fn tasks(node: &NodeName, filter: &TaskFilter) -> Request {
    let source = match filter.source {
        TaskSource::All => "all",
        TaskSource::Active => "active",
        TaskSource::Archive => "archive",
    };
    Request::on(Endpoint::Tasks, node)
        .with("source", source)
        .with("limit", PAGE)
        .with_some("vmid", filter.vmid)
        .with_some("typefilter", filter.kind.as_ref())
        .with_some("since", filter.since)
}

fn status(fields: &Fields<'_>) -> Result<TaskStatus> {
    match fields.required("status", fields.text("status")?)?.as_str() {
        "running" => Ok(TaskStatus::Running),
        // A worker that was killed may leave no word.
        "stopped" => Ok(TaskStatus::Stopped(Exit::parse(
            &fields
                .text("exitstatus")?
                .unwrap_or_else(|| "no exit status".to_owned()),
        ))),
        _ => Err(fields.malformed("status", "running or stopped")),
    }
}

fn summary(row: &Fields<'_>) -> Result<TaskSummary> {
    let status = match row.text("status")?.as_deref() {
        None | Some("RUNNING") => TaskStatus::Running,
        Some(exit) => TaskStatus::Stopped(Exit::parse(exit)),
    };
    Ok(TaskSummary {
        upid: row.required("upid", row.parsed("upid")?)?,
        status,
        ended: row.integer("endtime")?,
    })
}

fn line(row: &Fields<'_>) -> Result<LogLine> {
    Ok(LogLine {
        n: row.required("n", row.integer("n")?)?,
        text: row.text("t")?.unwrap_or_default(),
    })
}

impl Client {
    /// Whether a task still runs, or how it ended. Others' tasks need `Sys.Audit` on the node.
    pub async fn task_status(&self, upid: &Upid) -> Result<TaskStatus> {
        status(&self.call(&task_status(upid)).await?.fields()?)
    }

    /// All lines of a task's log after the first `start` ones.
    pub async fn task_log(&self, upid: &Upid, start: u64) -> Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        while lines.len() < LONGEST_LOG {
            let page = self.log_page(upid, start + lines.len() as u64).await?;
            let last = page.len() < PAGE;
            lines.extend(page);
            if last {
                break;
            }
        }
        Ok(lines)
    }

    /// At most [`PAGE`] lines. A log without any line is told by one that says so.
    pub(crate) async fn log_page(&self, upid: &Upid, start: u64) -> Result<Vec<LogLine>> {
        let mut lines = self.call(&task_log(upid, start)).await?.collect(line)?;
        if matches!(&lines[..], [only] if only.n <= 1 && only.text == "no content") {
            lines.clear();
        }
        Ok(lines)
    }

    /// The tasks of a node that this identity may see, newest first, at most 500. A token sees only its own.
    pub async fn tasks(&self, node: &NodeName, filter: &TaskFilter) -> Result<Vec<TaskSummary>> {
        self.call(&tasks(node, filter)).await?.collect(summary)
    }

    /// Interrupts a task. It ends as failed, some time later.
    pub async fn stop_task(&self, upid: &Upid) -> Result<()> {
        self.call(&stop_task(upid)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Reply;
    use serde_json::{Value, json};

    fn read(data: Value) -> Result<TaskStatus> {
        status(
            &Reply {
                call: "GET /x".to_owned(),
                data,
            }
            .fields()?,
        )
    }

    #[test]
    fn warnings_are_a_success() {
        assert_eq!(Exit::parse("WARNINGS: 2"), Exit::Warnings(2));
        assert!(Exit::parse("OK").is_success() && Exit::parse("WARNINGS: 1").is_success());
        for text in [
            "unexpected status",
            "command 'x' failed: exit code 1",
            "ok",
            "WARNINGS: many",
            "OK but not",
        ] {
            assert_eq!(Exit::parse(text), Exit::Failed(text.to_owned()));
        }
    }

    #[test]
    fn a_task_without_a_last_word_has_failed() {
        assert_eq!(
            read(json!({"status": "running"})).unwrap(),
            TaskStatus::Running
        );
        assert_eq!(
            read(json!({"status": "stopped"})).unwrap(),
            TaskStatus::Stopped(Exit::Failed("no exit status".to_owned()))
        );
        assert!(read(json!({"status": "perhaps"})).is_err() && read(json!({})).is_err());
    }

    #[test]
    fn rows_of_the_list() {
        let upid = "UPID:pve:0010A3F2:03C1D2E3:68F0AABB:vzcreate:101:root@pam:";
        let reply = Reply {
            call: "GET /x".to_owned(),
            data: json!([{"upid": upid, "status": "RUNNING"}, {"upid": upid}, {"upid": upid, "status": "OK", "endtime": "1760602812"}]),
        };
        let rows = reply.collect(summary).unwrap();
        assert_eq!(
            (&rows[0].status, &rows[1].status),
            (&TaskStatus::Running, &TaskStatus::Running)
        );
        assert_eq!(
            (&rows[2].status, rows[2].ended),
            (&TaskStatus::Stopped(Exit::Ok), Some(1_760_602_812))
        );
    }
}
