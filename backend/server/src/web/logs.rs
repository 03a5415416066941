//! The logs of an app: the last lines at once, then each as it comes.

use std::sync::Arc;

use api::AppState;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse as _, Response},
};
use control::{LogLine, LogQuery};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::{
    ansi,
    app::{AppHead, tone},
    live::{self, Patch},
    page::Head,
    viewer::Viewer,
};
use crate::{
    error::Error,
    extract::{AppName, Query, Read, Segment, Until},
    layer::RequestId,
    site::Site,
};

/// Lines of each service when nobody says how many.
const USUAL: u32 = 300;
/// Most lines that become one patch.
const TOGETHER: usize = 200;

/// Which lines.
#[derive(Clone, Deserialize)]
pub(crate) struct Which {
    service: Option<String>,
    /// Only lines that have this in them, whatever the case.
    q: Option<String>,
    tail: Option<u32>,
    /// Only lines written since then.
    since: Option<String>,
    /// Only lines written after this time: the last one that the page has.
    after: Option<String>,
}

#[derive(Serialize)]
struct View {
    app: AppHead,
    services: Vec<String>,
    service: String,
    q: String,
    lines: Vec<Line>,
    /// Why there are none.
    problem: Option<Problem>,
    download: String,
    is_since: bool,
}

#[derive(Serialize)]
struct Problem {
    message: String,
    hint: Option<String>,
}

/// A line with its colours.
#[derive(Clone, Serialize)]
pub(super) struct Line {
    /// The time, as the engine wrote it; leads to the line.
    at: String,
    clock: String,
    service: Option<String>,
    html: String,
}

/// The argument of a component.
#[derive(Serialize)]
struct Part {
    of: Line,
}

/// `GET /apps/{id}/logs`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(AppName(name)): Segment<AppName>,
    Query(which): Query<Which>,
) -> Result<Response, Error> {
    let control = &site.control;
    let app = control.app(&name).await?;
    let id = app.id.to_string();
    let (mut lines, mut problem) = (Vec::new(), None);
    match control.logs(&id, which.query()).await {
        Ok(text) => lines = which.lines(&String::from_utf8_lossy(&text)),
        Err(error) => problem = Some(told(error)?),
    }
    let last = lines.last().map(|line| line.at.clone());
    let query = which.address(last.as_deref());
    let view = View {
        services: control.services(&id).await.unwrap_or_default(),
        service: which.service.clone().unwrap_or_default(),
        q: which.q.clone().unwrap_or_default(),
        download: format!("/apps/{id}/logs.txt?{}", which.address(None)),
        is_since: which.since.is_some(),
        app: AppHead::of(&app),
        lines,
        problem,
    };
    let mut head = Head::new(format!("Logs of {}", app.name))
        .under("home")
        .tone(tone(&app));
    head.wide = true;
    if app.state == AppState::Running && view.problem.is_none() {
        head = head.live(format!("/live/apps/{id}/logs?{query}"));
    }
    viewer.show("app_logs.html", head, &view)
}

/// `GET /live/apps/{id}/logs`: each line as it comes. The id of a patch is the time of its last line.
pub(crate) async fn live(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(AppName(name)): Segment<AppName>,
    Query(mut which): Query<Which>,
    headers: HeaderMap,
    until: Until,
    request_id: RequestId,
) -> Result<Response, Error> {
    if let Some(seen) = headers
        .get("last-event-id")
        .and_then(|seen| seen.to_str().ok())
    {
        which.after = Some(seen.to_owned());
    }
    let control = site.control;
    let mut query = which.query();
    query.since = which.after.clone().or(query.since);
    let lines = control.follow_logs(&name, query).await?;
    let watcher = Arc::new((control, viewer, which));
    let patches = lines.ready_chunks(TOGETHER).then(move |lines| {
        let watcher = watcher.clone();
        async move {
            let (control, viewer, which) = watcher.as_ref();
            let lines = lines.into_iter().collect::<Result<Vec<_>, _>>()?;
            let mut last = None;
            let mut html = String::new();
            for line in lines.into_iter().filter_map(|line| which.line(line)) {
                last = Some(line.at.clone());
                html += &viewer.fragment_at(control.now(), "logs.line", &Part { of: line })?;
            }
            let patch = match last {
                Some(_) => Patch::default().append("log", html),
                None => Patch::default(),
            };
            Ok((last, patch))
        }
    });
    Ok(live::answer(patches, until, request_id))
}

/// `GET /apps/{id}/logs.txt`: the same as a file, without colours.
pub(crate) async fn download(
    State(site): State<Site>,
    _: Viewer<Read>,
    Segment(AppName(name)): Segment<AppName>,
    Query(mut which): Query<Which>,
) -> Result<Response, Error> {
    which.tail = Some(which.tail.unwrap_or(10_000));
    let app = site.control.app(&name).await?;
    let text = site.control.logs(&name, which.query()).await?;
    let text = String::from_utf8_lossy(&text);
    let wanted = text
        .lines()
        .map(ansi::plain)
        .filter(|line| which.wants(line));
    let body: String = wanted.flat_map(|line| [line, "\n".to_owned()]).collect();
    let headers: [(HeaderName, String); 2] = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}.log\"", app.hostname),
        ),
    ];
    Ok((headers, body).into_response())
}

impl Which {
    fn query(&self) -> LogQuery {
        LogQuery {
            service: self.service.clone(),
            tail: Some(self.tail.unwrap_or(USUAL)),
            since: self.since.clone(),
            timestamps: true,
        }
    }

    /// What the addresses of the stream and of the file carry.
    fn address(&self, after: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("service", self.service.as_deref()),
            ("q", self.q.as_deref()),
            ("since", self.since.as_deref()),
            ("after", after),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    fn wants(&self, plain: &str) -> bool {
        self.q
            .as_ref()
            .is_none_or(|q| plain.to_lowercase().contains(&q.to_lowercase()))
    }

    /// The lines of a whole answer.
    fn lines(&self, text: &str) -> Vec<Line> {
        let named = self.service.is_none();
        let mut lines: Vec<Line> = text
            .lines()
            .filter_map(|line| self.line(LogLine::of(named, line)))
            .collect();
        // Of several services compose tells one after the other.
        lines.sort_by(|a, b| a.at.cmp(&b.at));
        lines
    }

    /// The line as it is shown, if it is wanted.
    fn line(&self, line: LogLine) -> Option<Line> {
        let (at, text) = match line.line.split_once(' ') {
            Some((at, text)) if is_time(at) => (at, text),
            _ => ("", line.line.as_str()),
        };
        let is_known = self
            .after
            .as_deref()
            .is_some_and(|after| !at.is_empty() && at <= after);
        if is_known || !self.wants(&ansi::plain(text)) {
            return None;
        }
        Some(Line {
            clock: at.get(11..19).unwrap_or_default().to_owned(),
            at: at.to_owned(),
            service: line.service,
            html: ansi::html(text),
        })
    }
}

/// `2026-11-21T13:00:00.123456789Z`: of one length and one zone, so that they sort as text.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[10] == b'T'
        && text.ends_with('Z')
}

/// Why there are no lines, where that is no fault of the page.
fn told(error: control::Error) -> Result<Problem, Error> {
    match error {
        control::Error::Conflict { message, .. } => Ok(Problem {
            message,
            hint: None,
        }),
        control::Error::Unavailable(failure) => Ok(Problem {
            message: failure.message,
            hint: failure.hint,
        }),
        error => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn which() -> Which {
        Which {
            service: None,
            q: None,
            tail: None,
            since: None,
            after: None,
        }
    }

    const TEXT: &str = "db-1   | 2026-11-21T13:00:02.000000000Z \u{1b}[31mready\u{1b}[0m\n\
                        web-1  | 2026-11-21T13:00:01.000000000Z GET /<b>\n\
                        web-1  | no time";

    #[test]
    fn lines_of_several_services_are_in_the_order_of_time() {
        let lines = which().lines(TEXT);
        let told: Vec<_> = lines
            .iter()
            .map(|line| (line.clock.as_str(), line.html.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("", "no time"),
                ("13:00:01", "GET /&lt;b&gt;"),
                ("13:00:02", "<span class=\"ink-1\">ready</span>")
            ]
        );
        assert_eq!(lines[2].service.as_deref(), Some("db-1"));
    }

    #[test]
    fn only_what_is_searched_for_and_new_is_shown() {
        let search = Which {
            q: Some("READY".to_owned()),
            ..which()
        };
        assert_eq!(search.lines(TEXT).len(), 1);
        let later = Which {
            after: Some("2026-11-21T13:00:01.000000000Z".to_owned()),
            ..which()
        };
        assert_eq!(later.lines(TEXT).len(), 2);
    }
}
