//! Looking at services from inside the guest: `wget`, `nc`, `ping`, `nslookup`.

use std::time::Duration;

use super::docker::Answer;
use super::guest::Guest;
use super::network;
use crate::faults::Action;
use crate::unix::{Call, Done};

/// What happens to a connection to a port of the guest itself.
enum Reached {
    Refused,
    /// Something listens that does not speak HTTP.
    Silent,
    Http {
        status: u16,
        body: String,
    },
}

/// Whether a host name means this guest.
fn is_self(guest: &Guest, host: &str) -> bool {
    let own = network::address(guest).map(|lease| lease.address.to_string());
    matches!(
        host,
        "127.0.0.1" | "localhost" | "[::1]" | "::1" | "0.0.0.0"
    ) || own.as_deref() == Some(host)
        || host == crate::unix::Machine::base(guest).hostname()
}

fn knock(guest: &Guest, port: u16, path: Option<&str>) -> Reached {
    let answer = guest.docker().answer(port, path);
    let Some(answer) = answer else {
        return Reached::Refused;
    };
    match guest
        .fault_of("health", &[Action::Unhealthy, Action::Refused])
        .map(|fault| fault.action)
    {
        Some(Action::Refused) => return Reached::Refused,
        Some(_) if matches!(answer, Answer::Http { .. }) => {
            return Reached::Http {
                status: 500,
                body: "internal server error\n".to_owned(),
            };
        }
        _ => {}
    }
    match answer {
        Answer::Silent => Reached::Silent,
        Answer::Http { status, body } => Reached::Http { status, body },
    }
}

/// Host, port and path of an address.
fn parts(url: &str) -> Option<(String, u16, String)> {
    let (rest, usual) = match url.split_once("://") {
        Some(("http", rest)) => (rest, 80),
        Some(("https", rest)) => (rest, 443),
        Some(_) => return None,
        None => (url, 80),
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, usual),
    };
    Some((host.to_owned(), port, path.to_owned()))
}

pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        404 => "Not Found",
        _ => "Internal Server Error",
    }
}

/// busybox's `wget`.
pub(super) async fn wget(guest: &Guest, call: &mut Call) -> Done {
    let (mut quiet, mut headers, mut spider) = (false, false, false);
    let mut output: Option<String> = None;
    let mut url: Option<String> = None;
    let arguments = call.args().to_vec();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--spider" => spider = true,
            "--no-check-certificate" => {}
            "-O" | "-T" | "-U" | "-P" | "--header" | "--post-data" | "--timeout" | "-Y" => {
                let value = words.next().cloned();
                if word == "-O" {
                    output = value;
                }
            }
            option if option.starts_with("--header=") || option.starts_with("--timeout=") => {}
            option if option.starts_with("-O") => output = Some(option[2..].to_owned()),
            option if option.starts_with("-T") => {}
            option if option.starts_with("--") => return call.usage(option).await,
            option if option.starts_with('-') => {
                for letter in option.chars().skip(1) {
                    match letter {
                        'q' => quiet = true,
                        'S' => headers = true,
                        's' => spider = true,
                        'c' => {}
                        // The value of `-qO-` and `-qO -`.
                        'O' => {
                            let attached = option.split_once('O').map_or("", |(_, rest)| rest);
                            output = if attached.is_empty() {
                                words.next().cloned()
                            } else {
                                Some(attached.to_owned())
                            };
                            break;
                        }
                        'T' => {
                            if option.ends_with('T') {
                                words.next();
                            }
                            break;
                        }
                        other => return call.usage(&format!("-{other}")).await,
                    }
                }
            }
            address => url = Some(address.to_owned()),
        }
    }
    let Some(url) = url else {
        return call.usage("URL").await;
    };
    let Some((host, port, path)) = parts(&url) else {
        return call.fail(&format!("not an http or ftp url: {url}")).await;
    };
    if !is_self(guest, &host) {
        return outside(guest, call, &host).await;
    }
    if !quiet {
        call.err(format!("Connecting to {host}:{port} (127.0.0.1:{port})\n"))
            .await;
    }
    match knock(guest, port, Some(&path)) {
        Reached::Refused => {
            call.fail(&format!(
                "can't connect to remote host ({host}): Connection refused"
            ))
            .await
        }
        Reached::Silent => {
            call.fail("error getting response: Connection reset by peer")
                .await
        }
        Reached::Http { status, body } => {
            if headers {
                call.err(format!("  HTTP/1.1 {status} {}\n  Content-Type: text/html\n  Content-Length: {}\n  Connection: close\n  \n", reason(status), body.len())).await;
            }
            if status >= 400 {
                return call
                    .fail(&format!(
                        "server returned error: HTTP/1.1 {status} {}",
                        reason(status)
                    ))
                    .await;
            }
            if spider {
                if !quiet {
                    call.err("remote file exists\n").await;
                }
                return Ok(0);
            }
            save(call, &path, output, &body, quiet).await
        }
    }
}

async fn save(call: &Call, path: &str, output: Option<String>, body: &str, quiet: bool) -> Done {
    let name = output.unwrap_or_else(|| {
        let last = path.rsplit('/').next().unwrap_or_default();
        if last.is_empty() {
            "index.html".to_owned()
        } else {
            last.to_owned()
        }
    });
    if name == "-" {
        call.out(body.to_owned()).await?;
        return Ok(0);
    }
    let path = call.path(&name);
    let written =
        match call
            .machine
            .base()
            .open_for_writing(&path, 0o666 & !call.umask, false, false)
        {
            Ok(fd) => fd
                .write(body.to_owned().into())
                .await
                .map_err(|error| error.to_string()),
            Err(errno) => Err(errno.to_string()),
        };
    if let Err(reason) = written {
        return call.fail(&format!("can't open '{name}': {reason}")).await;
    }
    if !quiet {
        call.err(format!("saving to '{name}'\n'{name}' saved\n"))
            .await;
    }
    Ok(0)
}

/// Hosts other than this one: nothing out there is simulated.
async fn outside(guest: &Guest, call: &Call, host: &str) -> Done {
    guest.pace().take(Duration::from_millis(500)).await;
    if host.parse::<std::net::IpAddr>().is_ok() && network::address(guest).is_some() {
        return call
            .fail(&format!(
                "can't connect to remote host ({host}): Connection timed out"
            ))
            .await;
    }
    call.fail(&format!("bad address '{host}'")).await
}

/// `nc -z [-w SECONDS] HOST PORT`; nothing but a look at the port is simulated.
pub(super) async fn nc(guest: &Guest, call: &mut Call) -> Done {
    let mut words = call.args().iter();
    let mut operands = Vec::new();
    let mut looks = false;
    while let Some(word) = words.next() {
        match word.as_str() {
            "-w" | "-i" => drop(words.next()),
            option if option.starts_with('-') => {
                for letter in option.chars().skip(1) {
                    match letter {
                        'z' => looks = true,
                        'v' | 'n' | 'w' => {}
                        digit if digit.is_ascii_digit() => {}
                        other => return call.usage(&format!("-{other}")).await,
                    }
                }
            }
            word => operands.push(word.to_owned()),
        }
    }
    let [host, port] = operands.as_slice() else {
        return call.usage("HOST PORT").await;
    };
    let Ok(port) = port.parse::<u16>() else {
        return call.fail(&format!("bad port '{port}'")).await;
    };
    if !looks {
        return call.fail("only nc -z is simulated").await;
    }
    if !is_self(guest, host) {
        return call.fail(&format!("bad address '{host}'")).await;
    }
    match knock(guest, port, None) {
        Reached::Refused => {
            call.err(format!("nc: {host} ({host}:{port}): Connection refused\n"))
                .await;
            Err(1)
        }
        _ => Ok(0),
    }
}

pub(super) async fn nslookup(guest: &Guest, call: &mut Call) -> Done {
    let Some(name) = call
        .args()
        .iter()
        .find(|word| !word.starts_with('-'))
        .cloned()
    else {
        return call.usage("HOST").await;
    };
    if network::address(guest).is_none() {
        call.err(";; connection timed out; no servers could be reached\n\n")
            .await;
        return Err(1);
    }
    call.out(format!("Server:\t\t10.32.0.1\nAddress:\t10.32.0.1:53\n\nNon-authoritative answer:\nName:\t{name}\nAddress: 192.0.2.10\n\n")).await?;
    Ok(0)
}

/// `ping -c 1 HOST`: the gateway and this guest answer, names need a network.
pub(super) async fn ping(guest: &Guest, call: &mut Call) -> Done {
    let Some(host) = call
        .args()
        .last()
        .filter(|word| !word.starts_with('-'))
        .cloned()
    else {
        return call.usage("HOST").await;
    };
    if network::address(guest).is_none() && !is_self(guest, &host) {
        let numeric = host.parse::<std::net::IpAddr>().is_ok();
        let text = if numeric {
            "sendto: Network unreachable".to_owned()
        } else {
            format!("bad address '{host}'")
        };
        return call.fail(&text).await;
    }
    call.out(format!("PING {host} ({host}): 56 data bytes\n64 bytes from {host}: seq=0 ttl=64 time=0.080 ms\n\n--- {host} ping statistics ---\n1 packets transmitted, 1 packets received, 0% packet loss\n")).await?;
    Ok(0)
}
