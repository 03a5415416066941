//! The logs of an app's services, read in its container.

use std::time::Duration;

use api::AppState;
use futures::{Stream, StreamExt as _};
use proxmox::Vmid;
use saga::Failure;
use ssh::Command;

use crate::{Control, Error, compose::Compose, explain, failures};

/// Lines when nobody says how many.
const USUAL: u32 = 200;
/// Most lines of one answer.
const MOST: u32 = 10_000;
/// Longest time for reading the last lines.
const LIMIT: Duration = Duration::from_secs(30);
/// Most bytes of one answer.
const KEEP: usize = 8 << 20;

/// Which lines.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Only those of this service; of all, each with its name in front, when absent.
    pub service: Option<String>,
    /// So many of the last ones of each service.
    pub tail: Option<u32>,
    /// Only those since then: an RFC 3339 time, or a length of time such as `10m`.
    pub since: Option<String>,
    /// Whether each line begins with the time at which it was written (RFC 3339, with nanoseconds).
    pub timestamps: bool,
}

/// A line of a followed log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The service, where lines of several are mixed.
    pub service: Option<String>,
    /// The line as the service wrote it, colours included.
    pub line: String,
}

impl Control {
    /// The last lines of an app's services, as text.
    pub async fn logs(&self, app: &str, query: LogQuery) -> Result<Vec<u8>, Error> {
        let (vmid, argv) = self.log_command(app, &query, false).await?;
        let command = Command::new(argv).deadline(LIMIT).keep(KEEP);
        let output = self
            .site
            .hosts
            .exec(vmid, "reading the logs", command)
            .await
            .map_err(Error::Unavailable)?;
        if output.code == 0 {
            return Ok(output.stdout);
        }
        let text = output.stderr_text();
        if text.to_lowercase().contains("no such service") {
            return Err(Error::NotFound { what: "service" });
        }
        let failure = Failure::new("logs_unavailable", "Docker Compose does not give the logs.");
        Err(Error::Unavailable(failures::explain(&text, failure)))
    }

    /// The last lines, and then each as it comes, until the stream is dropped or the container stops.
    pub async fn follow_logs(
        &self,
        app: &str,
        query: LogQuery,
    ) -> Result<impl Stream<Item = Result<LogLine, Error>> + Send + 'static, Error> {
        let (vmid, argv) = self.log_command(app, &query, true).await?;
        let doing = "following the logs";
        let host = self
            .site
            .hosts
            .host_of(vmid, doing)
            .await
            .map_err(Error::Unavailable)?;
        let lines = self
            .site
            .hosts
            .pool()
            .pct_stream(&host, vmid.get(), Command::new(argv))
            .await;
        let lines = lines.map_err(|error| Error::Unavailable(explain::ssh(doing, &error)))?;
        let named = query.service.is_none();
        Ok(lines.map(move |line| match line {
            Ok((_, line)) => Ok(LogLine::of(named, &line)),
            Err(error) => Err(Error::Unavailable(explain::ssh(doing, &error))),
        }))
    }

    async fn log_command(
        &self,
        app: &str,
        query: &LogQuery,
        follow: bool,
    ) -> Result<(Vmid, Vec<String>), Error> {
        let app = self.site.store.apps().find(app).await?;
        let vmid = app.vmid.and_then(|vmid| Vmid::new(vmid).ok());
        let (Some(vmid), AppState::Running | AppState::Deploying) = (vmid, app.state) else {
            return Err(Error::Conflict {
                code: "app_not_running",
                message: format!(
                    "`{}` is {}; its logs are in its container, which must run.",
                    app.name, app.state
                ),
            });
        };
        let tail = query.tail.unwrap_or(USUAL).min(MOST).to_string();
        let mut arguments = vec!["logs", "--no-color", "--tail", &tail];
        if follow {
            arguments.push("--follow");
        }
        if query.timestamps {
            arguments.push("--timestamps");
        }
        if let Some(since) = &query.since {
            if !is_time(since) {
                return Err(Error::field(
                    "/since",
                    "must be an RFC 3339 time, or a length of time such as 10m",
                ));
            }
            arguments.extend(["--since", since]);
        }
        if let Some(service) = &query.service {
            if !is_service(service) {
                return Err(Error::NotFound { what: "service" });
            }
            arguments.extend(["--no-log-prefix", "--", service]);
        }
        Ok((vmid, Compose::of(&app.hostname).command(arguments)))
    }
}

impl LogLine {
    /// `web-1  | line`, as compose writes it where lines of several services are mixed (`named`).
    pub fn of(named: bool, line: &str) -> Self {
        // Following, compose erases the line before it writes one, also where nobody has a terminal.
        let line = line.strip_prefix("\u{1b}[2K").unwrap_or(line);
        match line.split_once(" | ") {
            Some((service, rest)) if named => Self {
                service: Some(service.trim_end().to_owned()),
                line: rest.to_owned(),
            },
            _ => Self {
                service: None,
                line: line.to_owned(),
            },
        }
    }
}

/// A name that compose accepts for a service.
fn is_service(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

fn is_time(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
        || text.strip_suffix(['s', 'm', 'h']).is_some_and(|digits| {
            !digits.is_empty()
                && digits.len() <= 9
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_services_are_told_apart() {
        let line = LogLine::of(true, "web-1  | GET / | 200");
        assert_eq!(
            (line.service.as_deref(), line.line.as_str()),
            (Some("web-1"), "GET / | 200")
        );
        assert_eq!(LogLine::of(false, "a | b").line, "a | b");
        let erased = LogLine::of(true, "\u{1b}[2Kweb-1 | \u{1b}[31mred\u{1b}[0m");
        assert_eq!(
            erased.line, "\u{1b}[31mred\u{1b}[0m",
            "the service's own colours are kept"
        );
    }

    #[test]
    fn only_times_and_service_names_are_passed_on() {
        assert!(is_time("2026-01-01T00:00:00Z") && is_time("10m"));
        assert!(!is_time("--follow") && !is_time("m") && !is_time("1d"));
        assert!(
            is_service("web_1.x") && !is_service("-f") && !is_service("") && !is_service("a b")
        );
    }
}
