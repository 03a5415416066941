//! Waiting for tasks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proxmox::{Error, Exit, TaskStatus, Upid};
use serde_json::{Value, json};

use crate::server::{Reply, Seen, Server, UPID, client, data, error, token};

const MINUTE: Duration = Duration::from_mins(1);

fn upid() -> Upid {
    UPID.parse().unwrap()
}

/// The part of a log of so many lines that a request asks for, as Proxmox gives it.
fn log(seen: &Seen, lines: u64) -> Reply {
    let number = |name: &str, default: u64| {
        seen.parameter(name)
            .map_or(default, |text| text.parse().unwrap())
    };
    let (start, limit) = (number("start", 0), number("limit", 50));
    if lines == 0 {
        return data(&json!([{"n": 1, "t": "no content"}]));
    }
    let rows: Vec<Value> = (start..lines.min(start + limit))
        .map(|n| json!({"n": n + 1, "t": format!("line {}", n + 1)}))
        .collect();
    data(&json!(rows))
}

fn stopped(exit: &str) -> Reply {
    data(&json!({"status": "stopped", "exitstatus": exit, "upid": UPID}))
}

/// A task that runs while it is asked `running` times, writing a line each, and then ends so with `lines` lines.
async fn task(running: usize, exit: &'static str, lines: u64) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        if seen.path.ends_with("/log") {
            let asked = asked.load(Ordering::SeqCst);
            return log(seen, if asked > running { lines } else { asked as u64 });
        }
        if asked.fetch_add(1, Ordering::SeqCst) < running {
            data(&json!({"status": "running"}))
        } else {
            stopped(exit)
        }
    })
    .await
}

#[tokio::test]
async fn lines_come_once_each_and_in_order_through_many_pages() {
    let server = task(3, "OK", 1203).await;
    let mut lines = Vec::new();
    let exit = client(&[&server], token())
        .wait_task(&upid(), MINUTE, |line| lines.push(line.to_owned()))
        .await
        .unwrap();
    assert_eq!(exit, Exit::Ok);
    let expected: Vec<String> = (1..=1203).map(|n| format!("line {n}")).collect();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn warnings_are_a_success() {
    let server = task(0, "WARNINGS: 2", 0).await;
    let mut lines = 0;
    let exit = client(&[&server], token())
        .wait_task(&upid(), MINUTE, |_| lines += 1)
        .await
        .unwrap();
    assert_eq!((exit, lines), (Exit::Warnings(2), 0));
}

#[tokio::test]
async fn a_failure_carries_the_end_of_its_log() {
    let server = task(1, "startup for container '101' failed", 700).await;
    let failed = client(&[&server], token())
        .wait_task(&upid(), MINUTE, |_| {})
        .await
        .unwrap_err();
    let Error::TaskFailed { upid, reason, log } = failed else {
        panic!("{failed}")
    };
    assert_eq!(
        (upid.as_str(), reason.as_str()),
        (UPID, "startup for container '101' failed")
    );
    assert_eq!(
        log,
        (681..=700).map(|n| format!("line {n}")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_node_that_is_away_for_a_while_is_waited_for() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |seen, _| {
        if seen.path.ends_with("/log") {
            return error("596 Connection timed out", &json!(null));
        }
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => data(&json!({"status": "running"})),
            1 => Reply::Cut,
            2 => error("595 No route to host", &json!(null)),
            3 => error("596 Connection timed out", &json!(null)),
            _ => stopped("OK"),
        }
    })
    .await;
    // A log that cannot be read does not hide how the task ended.
    assert_eq!(
        client(&[&server], token())
            .wait_task(&upid(), MINUTE, |_| {})
            .await
            .unwrap(),
        Exit::Ok
    );
}

#[tokio::test]
async fn the_deadline_holds_whether_the_task_runs_or_the_host_hangs() {
    let running = Server::start(|seen, _| {
        if seen.path.ends_with("/log") {
            log(seen, 0)
        } else {
            data(&json!({"status": "running"}))
        }
    })
    .await;
    let hanging = Server::start(|_, _| Reply::Hang).await;
    for server in [running, hanging] {
        let started = Instant::now();
        let error = client(&[&server], token())
            .wait_task(&upid(), Duration::from_secs(1), |_| {})
            .await
            .unwrap_err();
        assert_eq!(error, Error::TaskTimeout { upid: upid() });
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn what_cannot_get_better_is_told_at_once() {
    let server =
        Server::start(|_, _| error("403 Permission check failed", &json!({"data": null}))).await;
    let forbidden = client(&[&server], token())
        .wait_task(&upid(), MINUTE, |_| {})
        .await
        .unwrap_err();
    assert!(matches!(forbidden, Error::Forbidden { .. }), "{forbidden}");
    let body = json!({"data": null, "errors": {"upid": "no such task"}});
    let server =
        Server::start(move |_, _| error("400 Parameter verification failed.", &body)).await;
    let missing = client(&[&server], token())
        .wait_task(&upid(), MINUTE, |_| {})
        .await
        .unwrap_err();
    assert!(
        matches!(&missing, Error::NotFound { what } if what.contains("no such task")),
        "{missing}"
    );
}

#[tokio::test]
async fn a_whole_log_is_read_from_where_one_wants() {
    let server = task(0, "OK", 1100).await;
    let client = client(&[&server], token());
    assert_eq!(
        client.task_status(&upid()).await.unwrap(),
        TaskStatus::Stopped(Exit::Ok)
    );
    let lines = client.task_log(&upid(), 90).await.unwrap();
    assert_eq!(
        (
            lines.len(),
            lines[0].n,
            lines[0].text.as_str(),
            lines[1009].n
        ),
        (1010, 91, "line 91", 1100)
    );
    let empty = task(0, "OK", 0).await;
    let client = crate::server::client(&[&empty], token());
    assert!(client.task_status(&upid()).await.is_ok());
    assert_eq!(client.task_log(&upid(), 0).await.unwrap(), []);
}
