//! A browser without scripts.

use std::collections::BTreeMap;

use reqwest::{Client, Method, redirect::Policy};

use crate::world::PATIENCE;

/// A browser without scripts: cookies, forms, redirects.
pub(super) struct Browser {
    client: Client,
    pub(super) url: String,
    pub(super) cookies: BTreeMap<String, String>,
    /// The last page: its status, its path, its text.
    pub(super) status: u16,
    pub(super) path: String,
    pub(super) text: String,
}

impl Browser {
    pub(super) fn new(url: &str) -> Self {
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            url: url.to_owned(),
            cookies: BTreeMap::new(),
            status: 0,
            path: String::new(),
            text: String::new(),
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> &str {
        self.go(Method::GET, path, &[]).await
    }

    /// Sends the form of the page that is shown, with the token that it carries.
    pub(super) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> &str {
        let csrf = self.hidden("csrf");
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.go(Method::POST, path, &all).await
    }

    /// The value of a hidden field.
    pub(super) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.text.split_once(&mark).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
            .unwrap_or_default()
    }

    pub(super) async fn go(&mut self, method: Method, path: &str, fields: &[(&str, &str)]) -> &str {
        let (mut method, mut path) = (method, path.to_owned());
        for _ in 0..5 {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let mut request = self
                .client
                .request(method.clone(), format!("{}{path}", self.url))
                .header("accept", "text/html,application/xhtml+xml")
                .header("cookie", cookies.join("; "));
            if method == Method::POST {
                request = request.form(fields);
            }
            let response = request.send().await.unwrap();
            for cookie in response.headers().get_all("set-cookie") {
                let cookie = cookie.to_str().unwrap();
                let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
                if value.is_empty() {
                    self.cookies.remove(name);
                } else {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
            }
            self.status = response.status().as_u16();
            self.path.clone_from(&path);
            let location = response.headers().get("location").cloned();
            self.text = response.text().await.unwrap();
            match location {
                Some(location) if (300..400).contains(&self.status) => {
                    location.to_str().unwrap().clone_into(&mut path);
                    method = Method::GET;
                }
                _ => return &self.text,
            }
        }
        panic!("too many redirects, the last to {path}");
    }

    #[track_caller]
    pub(super) fn sees(&self, words: &str) {
        let plain = plain(&self.text);
        assert!(
            plain.contains(words),
            "{} ({}) does not say `{words}`:\n{plain}",
            self.path,
            self.status
        );
    }
}

/// What a person reads of a page.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
        text.push(' ');
    }
    let text = text
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&#39;", "'")
        .replace("&#x2F;", "/")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
