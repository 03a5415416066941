//! What a compose file alone tells: the name, the way in, what to ask.

use serde_json::Value;

use crate::{
    Compose, Endpoint, Param,
    compose::Declared,
    param::{Generate, Kind, check, is_name},
};

/// Variables that compose or the system sets.
const NOT_ASKED: &[&str] = &[
    "PWD",
    "HOME",
    "PATH",
    "USER",
    "HOSTNAME",
    "COMPOSE_PROJECT_NAME",
];

/// `uptime-kuma` as "Uptime Kuma".
pub(super) fn name(id: &str) -> String {
    id.split(['-', '_', '.'])
        .filter(|word| !word.is_empty())
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The tag of the first image that has one.
pub(super) fn version(compose: &Compose) -> String {
    let tag = |image: &str| {
        let image = image.split('@').next().unwrap_or(image);
        let last = image.rsplit('/').next()?;
        let (_, tag) = last.split_once(':')?;
        (!tag.contains('$')).then(|| tag.to_owned())
    };
    compose
        .services
        .iter()
        .find_map(|s| tag(s.image.as_deref()?))
        .unwrap_or_else(|| "latest".to_owned())
}

/// The first TCP port that others can reach.
pub(super) fn endpoints(compose: &Compose) -> Vec<Endpoint> {
    let port = compose
        .services
        .iter()
        .flat_map(|s| s.ports.iter().map(move |p| (s, p)))
        .find(|(_, port)| {
            let one = port
                .published
                .as_deref()
                .is_some_and(|p| !p.contains('-') || p.contains('$'));
            one && port.is_reachable() && port.protocol != "udp"
        });
    let Some((service, port)) = port else {
        return Vec::new();
    };
    let scheme = scheme(&port.target);
    vec![Endpoint {
        name: "web".to_owned(),
        service: Some(service.name.clone()),
        port: port.published.clone().unwrap_or_default(),
        scheme: scheme.to_owned(),
        path: if scheme.starts_with("http") { "/" } else { "" }.to_owned(),
        primary: true,
        connect: None,
    }]
}

/// What usually speaks on a port.
fn scheme(port: &str) -> &'static str {
    match port {
        "443" | "8443" | "9443" => "https",
        "22" | "2222" => "ssh",
        "5432" => "postgres",
        "3306" => "mysql",
        "6379" => "redis",
        "27017" => "mongodb",
        "1883" => "mqtt",
        "25565" => "tcp",
        _ => "http",
    }
}

/// A parameter for every variable that the file interpolates.
pub(super) fn params(variables: &[Declared]) -> Vec<Param> {
    variables
        .iter()
        .filter(|v| is_name(&v.name) && !NOT_ASKED.contains(&v.name.as_str()))
        .map(param)
        .collect()
}

fn param(variable: &Declared) -> Param {
    let mut param = Param::text(&variable.name);
    param.advanced = variable.default.is_some();
    param.required = variable.required || (variable.vital && variable.default.is_none());
    if is_secret(&variable.name) {
        param.kind = Kind::Secret;
        // An empty default says that the app runs without: a key for somebody else's service, mostly.
        if variable.default.as_deref() == Some("") {
            return param;
        }
        param.required = false;
        param.advanced = true;
        param.immutable = true;
        // Nobody can tell a password of a database from one that a person logs in with.
        param.show_after_deploy = param.name.contains("PASSWORD");
        param.generate = Some(Generate::Password {
            length: 32,
            symbols: false,
        });
        return param;
    }
    let default = variable.default.clone().map(Value::from);
    let guess = kind(&variable.name, variable.default.as_deref());
    let fits = |kind: Kind| {
        let typed = Param {
            kind,
            ..param.clone()
        };
        default.as_ref().map(|value| check(&typed, value))
    };
    match fits(guess) {
        None => param.kind = guess,
        Some(Ok(value)) => {
            param.kind = guess;
            param.default = Some(value);
        }
        Some(Err(_)) => param.default = default,
    }
    param
}

fn kind(name: &str, default: Option<&str>) -> Kind {
    if name == "TZ" || name == "TIMEZONE" {
        return Kind::Timezone;
    }
    match default {
        Some("true" | "false") => Kind::Bool,
        Some(text) if name.ends_with("PORT") && text.parse::<u16>().is_ok() => Kind::Port,
        _ => Kind::String,
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    let about = [
        "_FILE", "_PATH", "_URL", "_ID", "_TTL", "_EXPIRY", "_NAME", "_LENGTH",
    ];
    let secret = ["PASSWORD", "SECRET", "TOKEN"]
        .iter()
        .any(|w| name.contains(w))
        || name.ends_with("_KEY");
    secret && !about.iter().any(|ending| name.ends_with(ending))
}
