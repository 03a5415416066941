//! How it is proven that an app works.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Answers, Endpoint,
    finding::Findings,
    interpolation::Interpolated,
    text,
    yaml::{Fields, Node},
};

const EVERY: Duration = Duration::from_secs(5);
const WITHIN: Duration = Duration::from_mins(3);

/// A check of one installed app, ready to be done. All of an app's checks must pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Health {
    /// A request to the container's own address is answered with one of the expected statuses.
    Http {
        /// Name of the endpoint.
        endpoint: String,
        /// Port on the container's address.
        port: u16,
        /// `http` or `https`.
        scheme: String,
        /// Path and query, beginning with `/`.
        path: String,
        /// Statuses that mean healthy.
        expect: Vec<u16>,
        /// Time between two attempts.
        every: Duration,
        /// Time after which the app counts as failed.
        within: Duration,
    },
    /// The port accepts a connection.
    Tcp {
        /// Name of the endpoint.
        endpoint: String,
        /// Port on the container's address.
        port: u16,
        /// Time between two attempts.
        every: Duration,
        /// Time after which the app counts as failed.
        within: Duration,
    },
    /// A command in a service ends with 0.
    Exec {
        /// Service.
        service: String,
        /// Command and arguments, without a shell.
        command: Vec<String>,
        /// Time between two attempts.
        every: Duration,
        /// Time after which the app counts as failed.
        within: Duration,
    },
    /// Compose says that every service runs, and is healthy where it has a health check.
    Compose {
        /// Time between two attempts.
        every: Duration,
        /// Time after which the app counts as failed.
        within: Duration,
    },
}

/// How often a check is done and how long it may take to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pace {
    /// Time between two attempts.
    pub every: Duration,
    /// Time after which the app counts as failed.
    pub within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every: EVERY,
            within: WITHIN,
        }
    }
}

/// A check as the entry declares it; its ports may depend on answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HealthRule {
    /// See [`Health::Http`].
    Http {
        /// Name of the endpoint.
        endpoint: String,
        /// Path, or the endpoint's own.
        path: Option<String>,
        /// Statuses that mean healthy.
        expect: Vec<u16>,
        /// How often, how long.
        pace: Pace,
    },
    /// See [`Health::Tcp`].
    Tcp {
        /// Name of the endpoint.
        endpoint: String,
        /// How often, how long.
        pace: Pace,
    },
    /// See [`Health::Exec`]; arguments may hold variables.
    Exec {
        /// Service.
        service: String,
        /// Command and arguments.
        command: Vec<String>,
        /// How often, how long.
        pace: Pace,
    },
    /// See [`Health::Compose`].
    Compose {
        /// How often, how long.
        pace: Pace,
    },
}

impl HealthRule {
    /// The rules of an entry that declares none: compose, and a connection to the primary endpoint.
    pub(crate) fn defaults(endpoints: &[Endpoint]) -> Vec<Self> {
        let pace = Pace::default();
        let primary = endpoints.iter().find(|e| e.primary && e.scheme != "udp");
        let tcp = primary.map(|e| Self::Tcp {
            endpoint: e.name.clone(),
            pace,
        });
        [Some(Self::Compose { pace }), tcp]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The check for given answers; nothing where its endpoint has no port.
    pub(crate) fn resolve(&self, endpoints: &[Endpoint], answers: &Answers) -> Option<Health> {
        let find = |name: &str| {
            let endpoint = endpoints.iter().find(|e| e.name == name)?;
            Some((endpoint, endpoint.port_for(answers)?))
        };
        match self {
            Self::Http {
                endpoint,
                path,
                expect,
                pace,
            } => {
                let (declared, port) = find(endpoint)?;
                Some(Health::Http {
                    endpoint: endpoint.clone(),
                    port,
                    scheme: declared.scheme.clone(),
                    path: path.clone().unwrap_or_else(|| declared.path.clone()),
                    expect: expect.clone(),
                    every: pace.every,
                    within: pace.within,
                })
            }
            Self::Tcp { endpoint, pace } => Some(Health::Tcp {
                endpoint: endpoint.clone(),
                port: find(endpoint)?.1,
                every: pace.every,
                within: pace.within,
            }),
            Self::Exec {
                service,
                command,
                pace,
            } => {
                let fill = |text: &String| {
                    Interpolated::parse(text)
                        .ok()?
                        .fill(&|name| answers.text(name))
                };
                Some(Health::Exec {
                    service: service.clone(),
                    command: command.iter().map(fill).collect::<Option<_>>()?,
                    every: pace.every,
                    within: pace.within,
                })
            }
            Self::Compose { pace } => Some(Health::Compose {
                every: pace.every,
                within: pace.within,
            }),
        }
    }
}

/// Reads `health`.
pub(crate) fn read(
    node: &Node,
    endpoints: &[Endpoint],
    findings: &mut Findings,
) -> Option<HealthRule> {
    if node.text() == Some("compose") {
        return Some(HealthRule::Compose {
            pace: Pace::default(),
        });
    }
    let mut fields = Fields::of(node, "`health`", findings)?;
    let kinds = ["http", "tcp", "exec", "compose"];
    let found: Vec<(&str, &Node)> = kinds
        .iter()
        .filter_map(|kind| fields.node(kind).map(|node| (*kind, node)))
        .collect();
    fields.finish(findings);
    let [(kind, node)] = found.as_slice() else {
        findings.error(
            &node.at,
            "`health` is exactly one of http, tcp, exec and compose.",
        );
        return None;
    };
    let mut fields = Fields::of(node, "A health check", findings)?;
    let rule = match *kind {
        "http" => http(&mut fields, endpoints, findings),
        "tcp" => Some(HealthRule::Tcp {
            endpoint: endpoint(&mut fields, endpoints, findings)?.name.clone(),
            pace: pace(&mut fields, findings),
        }),
        "exec" => exec(&mut fields, findings),
        _ => Some(HealthRule::Compose {
            pace: pace(&mut fields, findings),
        }),
    };
    fields.finish(findings);
    rule
}

fn http(
    fields: &mut Fields<'_>,
    endpoints: &[Endpoint],
    findings: &mut Findings,
) -> Option<HealthRule> {
    let endpoint = endpoint(fields, endpoints, findings)?;
    if !matches!(endpoint.scheme.as_str(), "http" | "https") {
        findings.error(
            fields.at(),
            format!(
                "The endpoint `{}` speaks {}, not HTTP.",
                endpoint.name, endpoint.scheme
            ),
        );
    }
    let path = fields.text("path", findings);
    if path.as_deref().is_some_and(|p| !p.starts_with('/')) {
        findings.error(
            fields.at(),
            "The path of a health check must begin with `/`.",
        );
    }
    let statuses = fields.texts("expect", findings);
    let expect: Vec<u16> = statuses
        .iter()
        .filter_map(|s| s.parse().ok())
        .filter(|s| (100..600).contains(s))
        .collect();
    if expect.len() != statuses.len() {
        findings.error(fields.at(), "`expect` holds HTTP statuses, 100 to 599.");
    }
    Some(HealthRule::Http {
        endpoint: endpoint.name.clone(),
        path,
        expect: if statuses.is_empty() {
            vec![200]
        } else {
            expect
        },
        pace: pace(fields, findings),
    })
}

fn exec(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<HealthRule> {
    let service = fields.text("service", findings);
    let command = fields.texts("command", findings);
    let pace = pace(fields, findings);
    if service.is_none() || command.is_empty() {
        findings.error(
            fields.at(),
            "A check by command needs `service` and `command`.",
        );
    }
    for argument in &command {
        if let Err(message) = Interpolated::parse(argument) {
            findings.error(fields.at(), format!("`command`: {message}."));
        }
    }
    Some(HealthRule::Exec {
        service: service?,
        command,
        pace,
    })
}

/// The endpoint that is named, or the primary one.
fn endpoint<'e>(
    fields: &mut Fields<'_>,
    endpoints: &'e [Endpoint],
    findings: &mut Findings,
) -> Option<&'e Endpoint> {
    let Some(name) = fields.text("endpoint", findings) else {
        let primary = endpoints.iter().find(|e| e.primary);
        if primary.is_none() {
            findings.error(
                fields.at(),
                "A health check needs an endpoint, and there is none.",
            );
        }
        return primary;
    };
    let found = endpoints.iter().find(|e| e.name == name);
    if found.is_none() {
        findings.error(
            fields.at(),
            format!("There is no endpoint `{}`.", text::excerpt(&name)),
        );
    }
    found
}

fn pace(fields: &mut Fields<'_>, findings: &mut Findings) -> Pace {
    let every = fields.duration("every", findings).unwrap_or(EVERY);
    let within = fields.duration("within", findings).unwrap_or(WITHIN);
    if every.is_zero() || within < every {
        findings.error(
            fields.at(),
            "`every` must be longer than nothing and not longer than `within`.",
        );
    }
    Pace { every, within }
}
