//! What running containers write by themselves: lines as the programs of well-known images write them.
//!
//! Drawn from a seed and a number, so that a container that nobody watches needs no task of its own.

use std::time::SystemTime;

use super::known::{self, Role};
use super::visitor::Visitor;
use crate::wander::mix;

/// How a program words its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    Kuma,
    Gitea,
    Go,
    Node,
    Rust,
    Apache,
    Nginx,
    Postgres,
    MariaDb,
    Redis,
}

const VOICES: &[(&str, Voice)] = &[
    ("uptime-kuma", Voice::Kuma),
    ("gitea", Voice::Gitea),
    ("memos", Voice::Go),
    ("ntfy", Voice::Go),
    ("n8n", Voice::Node),
    ("actual", Voice::Node),
    ("vaultwarden", Voice::Rust),
    ("wordpress", Voice::Apache),
    ("freshrss", Voice::Apache),
    ("postgres", Voice::Postgres),
    ("mariadb", Voice::MariaDb),
    ("mysql", Voice::MariaDb),
    ("redis", Voice::Redis),
    ("valkey", Voice::Redis),
];

fn voice(image: &str, role: Role) -> Option<Voice> {
    let known = VOICES.iter().find(|(word, _)| image.contains(word));
    match (known, role) {
        (_, Role::Echo | Role::Idle | Role::Ends(_)) => None,
        (Some((_, voice)), _) => Some(*voice),
        (None, Role::Web) => Some(Voice::Nginx),
        (None, Role::Server) => Some(Voice::Redis),
    }
}

/// A moment in the ways in which logs write it.
struct Stamp {
    date: String,
    clock: String,
}

impl Stamp {
    fn of(at: SystemTime) -> Self {
        let text = crate::unix::timestamp(at);
        let (date, clock) = text.split_once('T').unwrap_or((&text, "00:00:00Z"));
        Self {
            date: date.to_owned(),
            clock: clock.trim_end_matches('Z').to_owned(),
        }
    }

    /// `21/Nov/2026:09:03:38 +0000`.
    fn access(&self) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let mut parts = self.date.split('-');
        let year = parts.next().unwrap_or_default();
        let month = parts.next().and_then(|month| month.parse().ok());
        let month = month
            .and_then(|month: usize| MONTHS.get(month.wrapping_sub(1)))
            .unwrap_or(&"Jan");
        let day = parts.next().unwrap_or_default();
        format!("{day}/{month}/{year}:{} +0000", self.clock)
    }
}

/// Numbers for one line; each draw is another one.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = mix(self.0);
        self.0 % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let number = usize::try_from(self.roll(from.len() as u64)).unwrap_or(0);
        from[number]
    }
}

/// The line of a visit, as the image's program writes it.
pub(super) fn access(image: &str, visitor: &Visitor<'_>) -> String {
    let stamp = Stamp::of(SystemTime::now());
    let Visitor {
        method,
        path,
        agent,
        ..
    } = visitor;
    // A log is read line by line, and its terminal obeys what it shows.
    let clean = |text: &str| -> String {
        text.chars()
            .filter(|letter| !letter.is_control())
            .take(200)
            .collect()
    };
    let (path, agent) = (clean(path), clean(agent));
    match voice(image, known::role(image, &[])) {
        Some(Voice::Kuma) => format!(
            "\u{1b}[36m{}T{}Z\u{1b}[0m [\u{1b}[35mSERVER\u{1b}[0m] \u{1b}[32mINFO:\u{1b}[0m {method} {path} 200",
            stamp.date, stamp.clock
        ),
        Some(Voice::Gitea) => gitea(&stamp, method, &path, 3),
        Some(Voice::Go) => go(
            &stamp,
            "INFO",
            "request",
            &format!("method={method} path={path} status=200"),
        ),
        Some(Voice::Node) => format!(
            "{}T{}Z info: {method} {path} 200 4 ms",
            stamp.date, stamp.clock
        ),
        Some(Voice::Rust) => format!(
            "[{} {}][request][INFO] {method} {path} => 200 OK",
            stamp.date, stamp.clock
        ),
        _ => format!(
            "172.17.0.1 - - [{}] \"{method} {path} HTTP/1.1\" 200 1893 \"-\" \"{agent}\"",
            stamp.access()
        ),
    }
}

/// What a container writes at its `number`-th occasion: often one line, sometimes nothing, now and then trouble.
pub(super) fn lines(
    image: &str,
    role: Role,
    seed: u64,
    number: u64,
    at: SystemTime,
) -> Vec<String> {
    let Some(voice) = voice(image, role) else {
        return Vec::new();
    };
    let mut dice = Dice(seed ^ mix(number));
    let stamp = Stamp::of(at);
    match dice.roll(100) {
        0..30 => Vec::new(),
        30..95 => vec![usual(voice, &stamp, &mut dice)],
        _ => trouble(voice, &stamp, &mut dice),
    }
}

fn gitea(stamp: &Stamp, method: &str, path: &str, ms: u64) -> String {
    let date = stamp.date.replace('-', "/");
    format!(
        "{date} {} \u{1b}[32mHTTPRequest [I]\u{1b}[0m router: completed {method} {path} for 10.10.0.21:0, \u{1b}[32m200 OK\u{1b}[0m in {ms}.4ms @ web/home.go:32(web.Home)",
        stamp.clock
    )
}

fn go(stamp: &Stamp, level: &str, message: &str, rest: &str) -> String {
    format!(
        "time={}T{}Z level={level} msg=\"{message}\" {rest}",
        stamp.date, stamp.clock
    )
}

const PATHS: &[&str] = &[
    "/",
    "/feed/",
    "/about/",
    "/wp-admin/admin-ajax.php",
    "/assets/app.css",
    "/i/?a=normal",
    "/2026/11/first-post/",
];
const MONITORS: &[&str] = &["router", "nas", "home-assistant", "mail", "blog"];

/// A line that says that all is well.
fn usual(voice: Voice, stamp: &Stamp, dice: &mut Dice) -> String {
    let Stamp { date, clock } = stamp;
    let ms = 2 + dice.roll(90);
    match voice {
        Voice::Kuma => {
            let name = dice.pick(MONITORS);
            let number = MONITORS.iter().take_while(|other| **other != name).count() + 1;
            format!(
                "\u{1b}[36m{date}T{clock}Z\u{1b}[0m [\u{1b}[35mMONITOR\u{1b}[0m] \u{1b}[32mINFO:\u{1b}[0m Monitor #{number} '{name}': Successful Response: {ms} ms | Interval: 60 seconds | Type: http"
            )
        }
        Voice::Gitea => {
            let path = dice.pick(&[
                "/",
                "/user/login",
                "/family/recipes",
                "/api/v1/version",
                "/family/dotfiles/src/branch/main",
            ]);
            gitea(stamp, "GET", path, ms)
        }
        Voice::Go => {
            let (message, rest) = match dice.roll(4) {
                0 => (
                    "connection stats",
                    format!(
                        "connections={} topics={}",
                        dice.roll(6) + 1,
                        dice.roll(9) + 1
                    ),
                ),
                1 => (
                    "database vacuumed",
                    format!("freed_pages={}", dice.roll(40)),
                ),
                _ => (
                    "request",
                    format!("method=GET path=/api/v1/memos status=200 took={ms}ms"),
                ),
            };
            go(stamp, "INFO", message, &rest)
        }
        Voice::Node => {
            let what = dice.pick(&[
                "sync of file budget finished",
                "workflow \"Morning digest\" finished",
                "queue is empty",
                "pruned old executions",
            ]);
            format!("{date}T{clock}Z info: {what} in {ms} ms")
        }
        Voice::Rust => {
            let what = dice.pick(&[
                "[request][INFO] GET /api/sync?excludeDomains=true",
                "[response][INFO] (sync) GET /api/sync?<data..> => 200 OK",
                "[vaultwarden::api::notifications][INFO] Accepting WS connection from 10.10.0.21",
            ]);
            format!("[{date} {clock}]{what}")
        }
        Voice::Apache | Voice::Nginx => {
            let path = dice.pick(PATHS);
            let agent = dice.pick(&[
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "FreshRSS/1.27",
                "curl/8.14.1",
            ]);
            format!(
                "10.10.0.{} - - [{}] \"GET {path} HTTP/1.1\" 200 {} \"-\" \"{agent}\"",
                20 + dice.roll(9),
                stamp.access(),
                900 + dice.roll(40_000)
            )
        }
        Voice::Postgres => match dice.roll(3) {
            0 => format!("{date} {clock}.318 UTC [27] LOG:  checkpoint starting: time"),
            1 => format!(
                "{date} {clock}.702 UTC [27] LOG:  checkpoint complete: wrote {} buffers (0.1%); 0 WAL file(s) added, 0 removed, 0 recycled; write=0.{ms:03} s, sync=0.004 s",
                2 + dice.roll(60)
            ),
            _ => format!(
                "{date} {clock}.117 UTC [{}] LOG:  connection authorized: user=app database=app",
                300 + dice.roll(600)
            ),
        },
        Voice::MariaDb => {
            let what = dice.pick(&[
                "[Note] InnoDB: Buffer pool(s) dump completed",
                "[Note] Event Scheduler: Loaded 0 events",
                "[Note] InnoDB: log sequence number advanced",
            ]);
            format!("{date} {clock} {} {what}", dice.roll(40))
        }
        Voice::Redis => format!(
            "1:M {clock} * {} changes in 300 seconds. Saving...",
            1 + dice.roll(80)
        ),
    }
}

/// Something that went wrong, with the lines that belong to it.
fn trouble(voice: Voice, stamp: &Stamp, dice: &mut Dice) -> Vec<String> {
    let Stamp { date, clock } = stamp;
    let lines: Vec<String> = match voice {
        Voice::Kuma => vec![
            format!(
                "\u{1b}[36m{date}T{clock}Z\u{1b}[0m [\u{1b}[35mMONITOR\u{1b}[0m] \u{1b}[33mWARN:\u{1b}[0m Monitor #2 '{}': Failing: connect ECONNREFUSED 10.10.0.9:443 | Interval: 60 seconds | Type: http | Down Count: 1",
                dice.pick(MONITORS)
            ),
            "\u{1b}[31mError: connect ECONNREFUSED 10.10.0.9:443\u{1b}[0m".to_owned(),
            "    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1637:16)".to_owned(),
            "    at async Monitor.makeAxiosRequest (/app/server/model/monitor.js:1103:20)"
                .to_owned(),
            "    at async beat (/app/server/model/monitor.js:551:27)".to_owned(),
        ],
        Voice::Node => vec![
            format!("{date}T{clock}Z \u{1b}[31merror\u{1b}[39m: request to the mail server failed"),
            "Error: getaddrinfo ENOTFOUND smtp.example.org".to_owned(),
            "    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26)".to_owned(),
        ],
        Voice::Gitea => vec![format!(
            "{} {clock} \u{1b}[33mrouters/web/repo/http.go:492:serviceRPC() [W]\u{1b}[0m client closed the connection early",
            date.replace('-', "/")
        )],
        Voice::Go => vec![
            go(stamp, "WARN", "slow query", "took=1.2s table=memo"),
            go(
                stamp,
                "ERROR",
                "failed to fetch link preview",
                "err=\"context deadline exceeded\"",
            ),
        ],
        Voice::Rust => vec![format!(
            "[{date} {clock}][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 10.10.0.{}. Username: family@example.org.",
            20 + dice.roll(9)
        )],
        Voice::Apache => vec![
            format!(
                "[{date} {clock}] [php:error] [pid {}] [client 10.10.0.21] PHP Fatal error:  Uncaught TypeError: array_key_first(): Argument #1 ($array) must be of type array, null given in /var/www/html/wp-content/plugins/gallery/gallery.php:48",
                18 + dice.roll(9)
            ),
            "Stack trace:".to_owned(),
            "#0 /var/www/html/wp-content/plugins/gallery/gallery.php(48): array_key_first(NULL)"
                .to_owned(),
            "#1 /var/www/html/wp-includes/class-wp-hook.php(324): gallery_render('')".to_owned(),
            "#2 {main}".to_owned(),
        ],
        Voice::Nginx => vec![format!(
            "{} {clock} [warn] 29#29: *{} an upstream response is buffered to a temporary file",
            date.replace('-', "/"),
            dice.roll(900)
        )],
        Voice::Postgres => vec![
            format!(
                "{date} {clock}.531 UTC [341] ERROR:  duplicate key value violates unique constraint \"users_email_key\""
            ),
            format!(
                "{date} {clock}.531 UTC [341] DETAIL:  Key (email)=(family@example.org) already exists."
            ),
            format!(
                "{date} {clock}.531 UTC [341] STATEMENT:  INSERT INTO users (email, name) VALUES ($1, $2)"
            ),
        ],
        Voice::MariaDb => vec![format!(
            "{date} {clock} {} [Warning] Aborted connection 41 to db: 'wordpress' user: 'wordpress' host: '172.18.0.3' (Got timeout reading communication packets)",
            dice.roll(90)
        )],
        Voice::Redis => vec![format!(
            "1:M {clock} # Possible slow disk: fsync took longer than a second"
        )],
    };
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(image: &str, role: Role) -> Vec<String> {
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_000_000);
        (0..400)
            .flat_map(|number| lines(image, role, 11, number, at))
            .collect()
    }

    #[test]
    fn well_known_images_write_as_their_programs_do() {
        let kuma = story("louislam/uptime-kuma:2.5.0", Role::Web);
        assert!(kuma.iter().any(|line| line.contains("\u{1b}[32mINFO:")));
        assert!(
            kuma.iter().any(|line| line.starts_with("    at ")),
            "a stack trace"
        );
        let wordpress = story("wordpress:7.1", Role::Web);
        assert!(
            wordpress
                .iter()
                .any(|line| line.contains("] \"GET /feed/ HTTP/1.1\" 200"))
        );
        assert!(wordpress.iter().any(|line| line == "Stack trace:"));
        let postgres = story("postgres:17", Role::Server);
        assert!(
            postgres
                .iter()
                .any(|line| line.contains("LOG:  checkpoint"))
        );
    }

    #[test]
    fn the_same_seed_writes_the_same_and_those_that_are_silent_stay_so() {
        assert_eq!(story("memos", Role::Web), story("memos", Role::Web));
        assert_eq!(story("echo", Role::Echo), Vec::<String>::new());
        assert_eq!(story("alpine", Role::Idle), Vec::<String>::new());
    }

    #[test]
    fn a_visit_cannot_break_out_of_its_line() {
        let visitor = Visitor {
            port: 80,
            method: "GET",
            path: "/",
            agent: "evil\n\u{1b}[2Jagent",
        };
        let line = access("nginx", &visitor);
        assert!(line.contains("evil[2Jagent"), "{line:?}");
        assert!(line.contains("] \"GET / HTTP/1.1\" 200"), "{line:?}");
    }
}
