//! What people open once an app runs.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::json;

use crate::{
    Answers,
    finding::Findings,
    interpolation::Interpolated,
    template,
    yaml::{Fields, Node},
};

/// A way into the app, as the entry declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Name, unique in the entry.
    pub name: String,
    /// The service behind it.
    pub service: Option<String>,
    /// Port on the container's address; may hold a variable, `${LISTEN_PORT}`.
    pub port: String,
    /// `http`, `https`, `postgres`, `tcp`, …
    pub scheme: String,
    /// Path, beginning with `/`.
    pub path: String,
    /// The one that is opened first.
    pub primary: bool,
    /// Tera text that says how to connect, for what is not opened in a browser.
    pub connect: Option<String>,
}

/// A way into one installed app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResolvedEndpoint {
    /// Name.
    pub name: String,
    /// The service behind it.
    pub service: Option<String>,
    /// Scheme.
    pub scheme: String,
    /// Port on the container's address.
    pub port: u16,
    /// Path, beginning with `/`.
    pub path: String,
    /// The one that is opened first.
    pub primary: bool,
    /// Full address; the host is `<address>` while it is not known.
    pub url: String,
    /// How to connect; secrets in it are `***`.
    pub connect: Option<String>,
}

impl Endpoint {
    /// The port for given answers.
    pub fn port_for(&self, answers: &Answers) -> Option<u16> {
        Interpolated::parse(&self.port)
            .ok()?
            .fill(&|name| answers.text(name))?
            .trim()
            .parse()
            .ok()
            .filter(|port| *port > 0)
    }

    /// The endpoint of an app with these answers; nothing where its port is not one.
    pub(crate) fn resolve(
        &self,
        answers: &Answers,
        address: Option<IpAddr>,
    ) -> Option<ResolvedEndpoint> {
        let port = self.port_for(answers)?;
        let host = match address {
            None => "<address>".to_owned(),
            Some(IpAddr::V6(ip)) => format!("[{ip}]"),
            Some(IpAddr::V4(ip)) => ip.to_string(),
        };
        let known = matches!((self.scheme.as_str(), port), ("http", 80) | ("https", 443));
        let suffix = if known {
            String::new()
        } else {
            format!(":{port}")
        };
        Some(ResolvedEndpoint {
            name: self.name.clone(),
            service: self.service.clone(),
            scheme: self.scheme.clone(),
            port,
            path: self.path.clone(),
            primary: self.primary,
            url: format!("{}://{host}{suffix}{}", self.scheme, self.path),
            connect: self.connect(answers, &host, port),
        })
    }

    fn connect(&self, answers: &Answers, host: &str, port: u16) -> Option<String> {
        let context = json!({
            "params": crate::project::visible(&answers.redacted()),
            "lxc": {"ip": host, "hostname": host},
            "port": port,
        });
        // A text that cannot be rendered is found by `catalog check`; here it is only left out.
        template::render("connect", self.connect.as_deref()?, &context).ok()
    }
}

pub(crate) fn read(nodes: &[Node], findings: &mut Findings) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for node in nodes {
        let Some(endpoint) = one(node, findings) else {
            continue;
        };
        if endpoints.iter().any(|e| e.name == endpoint.name) {
            findings.error(
                &node.at,
                format!("The endpoint `{}` stands here twice.", endpoint.name),
            );
        }
        if endpoint.primary && endpoints.iter().any(|e| e.primary) {
            findings.error(&node.at, "Only one endpoint is primary.");
        }
        endpoints.push(endpoint);
    }
    if !endpoints.iter().any(|e| e.primary)
        && let Some(first) = endpoints.first_mut()
    {
        first.primary = true;
    }
    endpoints
}

fn one(node: &Node, findings: &mut Findings) -> Option<Endpoint> {
    let mut fields = Fields::of(node, "An endpoint", findings)?;
    let name = fields
        .text("name", findings)
        .unwrap_or_else(|| "web".to_owned());
    let service = fields.text("service", findings);
    let port = fields.text("port", findings);
    let scheme = fields
        .text("scheme", findings)
        .unwrap_or_else(|| "http".to_owned());
    let path = fields
        .text("path", findings)
        .unwrap_or_else(|| "/".to_owned());
    let primary = fields.flag("primary", findings).unwrap_or(false);
    let connect = fields.text("connect", findings);
    fields.finish(findings);
    let Some(port) = port else {
        findings.error(&node.at, format!("The endpoint `{name}` needs a `port`."));
        return None;
    };
    let number = port.parse::<u16>().is_ok_and(|p| p > 0);
    if !number && (!port.contains('$') || Interpolated::parse(&port).is_err()) {
        findings.error(
            &node.at,
            format!("The port of `{name}` must be a number or a variable like ${{PORT}}."),
        );
    }
    let odd = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c));
    if scheme.is_empty() || scheme.contains(odd) {
        findings.error(
            &node.at,
            format!("The scheme of `{name}` must be a word like http."),
        );
    }
    if !path.starts_with('/') || path.contains(|c: char| c.is_control() || c.is_whitespace()) {
        findings.error(
            &node.at,
            format!("The path of `{name}` must begin with `/`."),
        );
    }
    if let Some(Err(message)) = connect
        .as_deref()
        .map(|text| template::check("connect", text))
    {
        findings.error(
            &node.at,
            format!("`connect` of `{name}` is no template: {message}."),
        );
    }
    // Where nothing is said, what is opened in a browser needs no further words.
    Some(Endpoint {
        name,
        service,
        port,
        scheme,
        path,
        primary,
        connect,
    })
}
